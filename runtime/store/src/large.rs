//! Large pages, which the database keeps in files of their own and does not sync.
//!
//! One of more than 128 KiB is large: sixteen values of 8 KiB beside each other make one.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::StoreError;
use crate::database::sync_dir;

/// Two changes of a folder within a tick of the system's clock have the same time.
const TICK: Duration = Duration::from_millis(100);

pub(crate) struct LargePages {
    dir: PathBuf,
    synced: HashSet<OsString>,
    /// When the folder had changed last; none: it may have changed since.
    changed: Option<SystemTime>,
}

impl LargePages {
    pub(crate) fn new(store: &Path) -> Self {
        Self { dir: store.join("blobs"), synced: HashSet::new(), changed: None }
    }

    /// The files of which this was not told before: they are to be synced. Nobody may write
    /// meanwhile, so that they are whole. They are written once.
    ///
    /// # Errors
    ///
    /// When the folder can not be read.
    pub(crate) fn new_ones(&mut self, now: SystemTime) -> Result<Vec<PathBuf>, StoreError> {
        self.look(now).map_err(|e| StoreError::io("read", &self.dir, &e))
    }

    fn look(&mut self, now: SystemTime) -> io::Result<Vec<PathBuf>> {
        let changed = fs::metadata(&self.dir)?.modified()?;
        if self.changed == Some(changed) {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&self.dir)?.map(|entry| Ok(entry?.file_name()));
        let names = entries.collect::<io::Result<HashSet<_>>>()?;
        let is_past = now.duration_since(changed).is_ok_and(|age| age > TICK);
        self.changed = is_past.then_some(changed);
        let new = names.difference(&self.synced).map(|name| self.dir.join(name)).collect();
        self.synced = names;
        Ok(new)
    }

    /// Makes files of it durable. One that is gone was replaced.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub(crate) fn sync(&self, files: &[PathBuf]) -> Result<(), StoreError> {
        for file in files {
            match File::open(file).and_then(|file| file.sync_all()) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(StoreError::io("sync", file, &error));
                }
                _ => {}
            }
        }
        if files.is_empty() { Ok(()) } else { sync_dir(&self.dir) }
    }
}
