//! The prompts and music that the binary carries, unpacked where the engine reads them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tandem_config::NodeConfig;

include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// Their folder in the data directory.
const FOLDER: &str = "prompts";

/// How the name of a file for wideband listeners ends.
const WIDE: &str = ".16k.wav";

/// Where prompts and music are.
pub(crate) fn dir(config: &NodeConfig) -> PathBuf {
    match config.media.library_dir.as_str() {
        "" => config.node.data_dir.join(FOLDER),
        dir => dir.into(),
    }
}

/// Writes the files that are not there yet; an operator's own recording of a name stays, and gets
/// no wideband version of ours beside it.
///
/// # Errors
/// When the folder can not be written.
pub(crate) fn unpack(data_dir: &Path) -> io::Result<PathBuf> {
    let root = data_dir.join(FOLDER);
    fs::create_dir_all(&root)?;
    for (name, bytes) in FILES {
        let path = root.join(name);
        if path.exists() || is_beside_another(&root, name)? {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, bytes)?;
    }
    Ok(root)
}

/// Whether a wideband file would stand beside a narrowband one that is not of the same recording.
fn is_beside_another(root: &Path, name: &str) -> io::Result<bool> {
    let Some(narrow) = name.strip_suffix(WIDE).map(|name| format!("{name}.wav")) else {
        return Ok(false);
    };
    let ours = FILES.iter().find(|(name, _)| *name == narrow).map(|(_, bytes)| *bytes);
    match fs::read(root.join(&narrow)) {
        Ok(there) => Ok(ours != Some(&there[..])),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
