//! The files of a member: `cluster/` in the node's data directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The authority's certificate, on every member.
pub(crate) const AUTHORITY: &str = "authority.pem";
/// The authority's key, on the one node that lets others in.
pub(crate) const AUTHORITY_KEY: &str = "authority-key.pem";
/// The node's own certificate.
pub(crate) const NODE: &str = "node.pem";
/// Its key.
pub(crate) const NODE_KEY: &str = "node-key.pem";
/// Who belongs to the cluster.
pub(crate) const ROSTER: &str = "roster.json";
/// The level that all members have spoken.
pub(crate) const LEVEL: &str = "level";
/// Where the running node is bound.
pub(crate) const LISTENING: &str = "listening";
/// Tokens that were issued.
pub(crate) const TOKENS: &str = "tokens";

/// Writes a file that is there whole or not at all, even after a power cut. Only the owner reads
/// it: half of these files are secrets.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    sync_folder(path)
}

/// Makes a rename last.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
