//! Who belongs to the cluster, under which address. One node writes it: the one that holds the
//! authority's key; the others keep copies and pass the newest on.

pub mod machine;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

pub use machine::{Input, Member, Roster, Standing, State};

use crate::{MeshError, files};

/// Reads the copy of this node.
pub(crate) fn load(dir: &Path) -> Result<Roster, MeshError> {
    let path = dir.join(files::ROSTER);
    let text = fs::read(&path)?;
    serde_json::from_slice(&text).map_err(|error| MeshError::Unreadable(path, error.to_string()))
}

/// Writes the copy of this node.
pub(crate) fn save(dir: &Path, roster: &Roster) -> Result<(), MeshError> {
    files::write(&dir.join(files::ROSTER), &serde_json::to_vec_pretty(roster)?)?;
    Ok(())
}
