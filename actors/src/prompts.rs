//! The prompts that an operator has uploaded: files of the library, in its folder `custom`
//!

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use crate::office::Refusal;

/// The folder of the library, and the first part of the names.
pub const FOLDER: &str = "custom";

/// An uploaded prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Its name in the library, such as `custom/welcome`.
    pub name: String,
    /// The file's size.
    pub bytes: u64,
    /// How long it plays.
    pub length: Duration,
    /// BLAKE3 of the file, hex.
    pub checksum: String,
}

/// The uploaded prompts of a node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Prompts {
    library: PathBuf,
}

impl Prompts {
    /// The prompts of a library.
    #[must_use]
    pub fn new(library: PathBuf) -> Self {
        Self { library }
    }

    /// Whether a name can be a prompt's: letters, digits, `-` and `_`.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=63).contains(&name.len()) && name.bytes().all(plain)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.library.join(FOLDER).join(format!("{name}.wav"))
    }

    /// Writes a prompt, anew or again, and syncs it.
    ///
    /// # Errors
    /// `Invalid` when it is no WAV file that can be played; `Unavailable` when the disk fails.
    pub async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<Prompt, Refusal> {
        let prompt = read(name, &bytes).map_err(|why| Refusal::field("", "bad-audio", &why))?;
        let path = self.path(name);
        blocking("write", name, move || {
            let folder = path.parent().unwrap_or(&path).to_owned();
            fs::create_dir_all(&folder)?;
            let unfinished = path.with_extension("part");
            let mut file = File::create(&unfinished)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(unfinished, path)?;
            File::open(folder)?.sync_all()
        })
        .await?;
        Ok(prompt)
    }

    /// All of them, by name.
    ///
    /// # Errors
    /// `Unavailable` when the disk fails.
    pub async fn all(&self) -> Result<Vec<Prompt>, Refusal> {
        let folder = self.library.join(FOLDER);
        blocking("list", FOLDER, move || {
            let mut found = Vec::new();
            if !folder.exists() {
                return Ok(found);
            }
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                let is_wav = path.extension().is_some_and(|ending| ending == "wav");
                let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
                if is_wav && let Ok(prompt) = read(name, &fs::read(&path)?) {
                    found.push(prompt);
                }
            }
            found.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(found)
        })
        .await
    }

    /// The file of a prompt.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable` when the disk fails.
    pub async fn audio(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        let path = self.path(name);
        blocking("read", name, move || fs::read(path)).await
    }

    /// Removes a prompt. Whether somebody uses it was asked before.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable` when the disk fails.
    pub async fn remove(&self, name: &str) -> Result<(), Refusal> {
        let path = self.path(name);
        blocking("remove", name, move || fs::remove_file(path)).await
    }
}

fn read(name: &str, bytes: &[u8]) -> Result<Prompt, String> {
    Ok(Prompt {
        name: format!("{FOLDER}/{name}"),
        length: tandem_engine::playing_time(bytes)?,
        bytes: bytes.len() as u64,
        checksum: blake3::hash(bytes).to_hex().to_string(),
    })
}

/// Disk work, off the threads that serve others.
async fn blocking<T: Send + 'static>(
    doing: &str,
    name: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.unwrap_or_else(|error| Err(io::Error::other(error)));
    done.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Refusal::NotFound { kind: "prompt", key: name.to_owned() },
        _ => Refusal::Unavailable { detail: format!("failed to {doing} prompt {name}: {error}") },
    })
}
