//! A backup of all that the node keeps, while it runs.

use std::path::PathBuf;

use super::{Office, Principal, Refusal};
use crate::audit;
use crate::backup::{self, Manifest};

impl Office {
    /// Writes a backup to a file that the caller removes.
    ///
    /// # Errors
    /// `Unavailable` when the disk fails or the node ends.
    pub async fn back_up(&self, by: &Principal, path: PathBuf) -> Result<Manifest, Refusal> {
        let at = self.exchange()?.clock.now();
        let folders = self.parts.folders.clone();
        let written = backup::write(&self.parts.journal, folders, path, at).await;
        let manifest = written.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "no backup was made");
            Refusal::Unavailable { detail: error.to_string() }
        })?;
        let position = manifest.position.to_string();
        tracing::info!(by = %by.name, position, "a backup was made");
        drop(audit::note(&self.parts.journal, by, "backed up", "journal", &position));
        Ok(manifest)
    }

    /// Where a backup is put until it has been fetched.
    #[must_use]
    pub fn spare_file(&self) -> PathBuf {
        self.parts.spare.join(format!("backup-{:016x}", rand::random::<u64>()))
    }
}
