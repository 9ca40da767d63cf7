//! A journal that does not open is a lost replica: it is kept for whoever wants to look at it,
//! and never used again. Its member number dies with it, for its votes are lost as well.

use std::fs;
use std::path::{Path, PathBuf};

use tandem_kernel::Timestamp;
use tandem_store::StoreError;

use crate::error::OpenError;
use crate::handle::Journal;

impl Journal {
    /// Moves the journal in `dir`, which must not be open, to a name beside it that says when,
    /// and gives that name. What opens in `dir` next begins empty: in a cluster as a member
    /// with a new number ([`next_node`](Self::next_node)).
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn set_aside(dir: &Path, now: Timestamp) -> Result<PathBuf, OpenError> {
        let mut name = dir.as_os_str().to_owned();
        name.push(format!(".damaged-{}", now.as_micros()));
        let aside = PathBuf::from(name);
        fs::rename(dir, &aside).map_err(|error| {
            OpenError::Storage(StoreError::Io {
                doing: "set aside",
                place: dir.to_owned(),
                why: error.to_string(),
            })
        })?;
        if let Some(parent) = dir.parent() {
            tandem_store::sync_dir(parent)?;
        }
        tracing::error!(aside = %aside.display(), "a journal was set aside");
        Ok(aside)
    }
}
