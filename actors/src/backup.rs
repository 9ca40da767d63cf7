//! A backup: one checksummed file with the journal and the files that it speaks of. It is made
//! while the node runs, and unpacked into an empty folder by one that does not.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use tandem_journal::{Journal, ReadError};
use tandem_kernel::{Position, Timestamp};
use tandem_store::{StoreError, file};
use tandem_wire::{Schema, WireError, decode_versioned, encode_versioned};

/// Bytes of a file that are read at once.
const PIECE: usize = 1 << 20;
/// The longest head of a file.
const HEAD: usize = 64 << 10;
/// The journal's copy, among the files.
pub const JOURNAL: &str = "journal";

/// Folders whose files are part of a backup, by what they are called in it.
#[derive(Clone, Debug, Default)]
pub struct Folders(pub Vec<(String, PathBuf)>);

/// What a backup is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// When it was made.
    pub at: Timestamp,
    /// The last record of the journal in it.
    pub position: Position,
}

impl Schema for Manifest {
    const VERSION: u16 = 1;
}

/// A file of it; its bytes follow.
#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    bytes: u64,
}

impl Schema for Entry {
    const VERSION: u16 = 1;
}

/// Why there is no backup, or it was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The journal could not be copied.
    #[error("failed to copy the journal")]
    Journal(#[from] ReadError),
    /// The file is damaged, or the disk failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is of another kind or a newer version.
    #[error("this is no backup that this build can read: {0}")]
    Format(#[from] WireError),
    /// A file in it would be written outside of the folder.
    #[error("the backup holds a file named {0:?}")]
    Name(String),
    /// A file could not be read or written.
    #[error("failed to {doing} {}", .path.display())]
    Io {
        /// What failed.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Writes a backup to `path`, which must not exist.
///
/// # Errors
/// [`BackupError`].
pub async fn write(
    journal: &Journal,
    folders: Folders,
    path: PathBuf,
    at: Timestamp,
) -> Result<Manifest, BackupError> {
    let copy = path.with_extension("journal");
    let position = journal.export(&copy).await?;
    let manifest = Manifest { at, position };
    let packed = tokio::task::spawn_blocking(move || {
        let outcome = pack(&manifest, &copy, &folders, &path);
        // Left behind it takes room and harms nothing.
        let _kept = fs::remove_file(&copy);
        outcome.map(|()| manifest)
    });
    packed.await.map_err(|_| ReadError::Closed)?
}

fn pack(
    manifest: &Manifest,
    copy: &Path,
    folders: &Folders,
    path: &Path,
) -> Result<(), BackupError> {
    let mut writer = file::Writer::create(path)?;
    writer.frame(&encode_versioned(manifest))?;
    add(&mut writer, JOURNAL.to_owned(), copy)?;
    for (name, folder) in &folders.0 {
        for found in files_of(folder)? {
            let inner = found.strip_prefix(folder).unwrap_or(&found).display().to_string();
            add(&mut writer, format!("{name}/{inner}"), &found)?;
        }
    }
    Ok(writer.finish()?)
}

/// All files below a folder in the order of their names; none where it is not there.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.exists() {
            continue;
        }
        let failed = |source| BackupError::Io { doing: "list", path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// A file that has gone meanwhile is left out; one that grows is as long as it was.
fn add(writer: &mut file::Writer, name: String, path: &Path) -> Result<(), BackupError> {
    let failed = |source| BackupError::Io { doing: "read", path: path.to_owned(), source };
    let mut from = match File::open(path) {
        Ok(from) => from,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let bytes = from.metadata().map_err(failed)?.len();
    writer.frame(&encode_versioned(&Entry { name, bytes }))?;
    let mut left = bytes;
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; length];
        from.read_exact(&mut piece).map_err(failed)?;
        writer.frame(&piece)?;
        left -= u64::try_from(length).unwrap_or(left);
    }
    Ok(())
}

/// Unpacks a backup into a folder; gives what it is of. It is read whole before anything is
/// written, so that a damaged one leaves nothing.
///
/// # Errors
/// [`BackupError`].
pub fn unpack(path: &Path, into: &Path) -> Result<Manifest, BackupError> {
    let mut checked = file::Reader::open(path)?;
    while checked.frame()?.is_some() {}
    let mut reader = file::Reader::open(path)?;
    let manifest = decode_versioned(&reader.frame()?.unwrap_or_default(), HEAD)?;
    while let Some(head) = reader.frame()? {
        let Entry { name, bytes } = decode_versioned(&head, HEAD)?;
        take(&mut reader, &place_of(&name, into)?, bytes)?;
    }
    Ok(manifest)
}

fn place_of(name: &str, into: &Path) -> Result<PathBuf, BackupError> {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    if name.is_empty() || !Path::new(name).components().all(is_plain) {
        return Err(BackupError::Name(name.to_owned()));
    }
    Ok(into.join(name))
}

fn take(reader: &mut file::Reader, path: &Path, bytes: u64) -> Result<(), BackupError> {
    let failed = |source| BackupError::Io { doing: "write", path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = File::create(path).map_err(failed)?;
    let mut left = bytes;
    while left > 0 {
        let piece = reader.frame()?.unwrap_or_default();
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        left = left
            .checked_sub(length)
            .filter(|_| length > 0)
            .ok_or_else(|| failed(std::io::Error::other("its pieces do not come to its length")))?;
        file.write_all(&piece).map_err(failed)?;
    }
    file.sync_all().map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_name_that_leads_out_of_the_folder_is_refused() {
        let into = Path::new("data");
        for name in ["", "../x", "a/../../x", "/etc/x"] {
            assert!(matches!(place_of(name, into), Err(BackupError::Name(_))), "{name:?}");
        }
        assert_eq!(place_of("voicemail/1/2.wav", into).unwrap(), into.join("voicemail/1/2.wav"));
    }

    #[test]
    fn the_bytes_of_a_backups_head_are_for_ever() {
        let manifest = Manifest { at: Timestamp::from_micros(300), position: Position::at(7) };
        let entry = Entry { name: "journal".into(), bytes: 9 };

        assert_eq!(encode_versioned(&manifest), [1, 0, 251, 44, 1, 0, 7]);
        assert_eq!(encode_versioned(&entry), [1, 0, 7, 106, 111, 117, 114, 110, 97, 108, 9]);
    }
}
