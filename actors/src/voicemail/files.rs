//! The files of messages: where they are, and that they are what was written.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The ending of a recording under way; a crash leaves it behind.
const UNFINISHED: &str = "part";

/// The folder of all messages.
#[derive(Clone, Debug)]
pub(super) struct Files {
    root: PathBuf,
}

/// A file that is in its place for good.
pub(super) struct Kept {
    pub(super) bytes: u64,
    pub(super) checksum: String,
}

impl Files {
    /// Opens the folder and clears away what a crash cut off.
    pub(super) fn open(root: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&root)?;
        for entry in fs::read_dir(&root)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == UNFINISHED) {
                fs::remove_file(path)?;
            }
        }
        Ok(Self { root })
    }

    /// Where a message is recorded.
    pub(super) fn unfinished(&self, id: &str) -> PathBuf {
        self.root.join(format!("{id}.{UNFINISHED}"))
    }

    /// Where a message is.
    pub(super) fn path(&self, id: &str) -> PathBuf {
        self.root.join(format!("{id}.wav"))
    }

    /// Puts a recording, whose bytes are synced, into its place and syncs the folder.
    pub(super) fn keep(&self, id: &str) -> io::Result<Kept> {
        let from = self.unfinished(id);
        let whole = fs::read(&from)?;
        let checksum = blake3::hash(&whole).to_hex().to_string();
        fs::rename(from, self.path(id))?;
        File::open(&self.root)?.sync_all()?;
        Ok(Kept { bytes: whole.len() as u64, checksum })
    }

    /// The bytes of a message, if they are what was written.
    pub(super) fn read(&self, id: &str, checksum: &str) -> io::Result<Vec<u8>> {
        let whole = fs::read(self.path(id))?;
        if blake3::hash(&whole).to_hex().as_str() == checksum {
            return Ok(whole);
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "the file is not what was written"))
    }

    /// Removes a file; one that is gone already is no error.
    pub(super) fn remove(path: &Path) {
        if let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %path.display(), "a message's file was not removed");
        }
    }
}
