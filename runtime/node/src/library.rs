//! The prompts and music that the binary carries, unpacked where the engine reads them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tandem_config::NodeConfig;

include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// Their folder in the data directory.
const FOLDER: &str = "prompts";

/// Where prompts and music are.
pub(crate) fn dir(config: &NodeConfig) -> PathBuf {
    match config.media.library_dir.as_str() {
        "" => config.node.data_dir.join(FOLDER),
        dir => dir.into(),
    }
}

/// Writes the files that are not there yet; an operator's own recording of a name stays.
///
/// # Errors
/// When the folder can not be written.
pub(crate) fn unpack(data_dir: &Path) -> io::Result<PathBuf> {
    let root = data_dir.join(FOLDER);
    fs::create_dir_all(&root)?;
    for (name, bytes) in FILES {
        let path = root.join(name);
        if path.exists() {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, bytes)?;
    }
    Ok(root)
}
