//! The tables over the database.

use std::fs::{self, File, TryLockError};
use std::ops::{Bound, ControlFlow, Deref};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use crate::backend::{Backend, Entry};
use crate::file::{Reader, Writer};
use crate::flusher::{Flusher, Synced};
use crate::gather::Gathering;
use crate::memory::Disk;
use crate::verify::Report;
use crate::{MAX_VALUE_BYTES, Options, StoreError, Table};

const CHECKSUM_BYTES: usize = 4;
const CLOSED: &str = "closed";

/// An open store. Clones share it; the last one dropped closes it without a sync.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    db: RwLock<Option<Backend>>,
    syncs: Mutex<Option<Syncs>>,
    // Held for its lock, which the system releases with the process.
    lock: Mutex<Option<File>>,
}

/// Who makes a store durable.
enum Syncs {
    Flusher(Flusher),
    Simulated(Disk),
}

/// Full keys with their sealed values; none removes.
pub(crate) type Writes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// A stored value, without its checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value(sled::IVec);

impl Deref for Value {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0[..self.0.len() - CHECKSUM_BYTES]
    }
}

/// Writes that become visible and durable together.
#[derive(Default)]
pub struct Batch {
    writes: Writes,
    too_large: Option<(&'static str, usize)>,
}

impl Batch {
    /// Sets a value. One that is too large makes the whole batch fail.
    pub fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        if value.len() >= MAX_VALUE_BYTES {
            self.too_large = Some((table.name, value.len()));
            return;
        }
        let key = full_key(table, key);
        let mut sealed = Vec::with_capacity(value.len() + CHECKSUM_BYTES);
        sealed.extend_from_slice(value);
        sealed.extend_from_slice(&checksum(&key, value).to_le_bytes());
        self.writes.push((key, Some(sealed)));
    }

    /// Removes a value; one that is not there is no error.
    pub fn remove(&mut self, table: Table, key: &[u8]) {
        self.writes.push((full_key(table, key), None));
    }

    /// Whether the batch writes nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The flusher's thread has the database open until it ends.
        if let Some(Syncs::Flusher(flusher)) = self.syncs.lock().take() {
            flusher.stop();
        }
    }
}

impl Store {
    /// Opens the store in `dir`, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] when it is open elsewhere, [`StoreError::Damaged`] when the
    /// database underneath can not be recovered.
    pub fn open(dir: &Path, options: &Options) -> Result<Self, StoreError> {
        fs::create_dir_all(dir).map_err(|e| StoreError::io("create directory", dir, &e))?;
        let lock = lock(dir)?;
        let data = dir.join("db");
        check_length(dir, &data)?;
        let db = open_guarded(dir, options)?;
        let file = File::open(&data).map_err(|e| StoreError::io("open", data, &e))?;
        sync_dir(dir)?;
        let db = Arc::new(Gathering::new(db, options.flush_every_ms.is_some()));
        let within = Duration::from_millis(options.flush_every_ms.unwrap_or_default() / 2);
        let flusher = Flusher::start(Arc::clone(&db), file, dir.to_owned(), within)?;
        Ok(Self {
            inner: Arc::new(Inner {
                dir: dir.to_owned(),
                db: RwLock::new(Some(Backend::Sled(db))),
                syncs: Mutex::new(Some(Syncs::Flusher(flusher))),
                lock: Mutex::new(Some(lock)),
            }),
        })
    }

    /// Opens the store that is called `dir` on a simulated disk. Files beside it are real: the
    /// directory is made.
    ///
    /// # Errors
    ///
    /// When the directory can not be made.
    pub fn open_on(disk: &Disk, dir: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(dir).map_err(|e| StoreError::io("create directory", dir, &e))?;
        Ok(Self {
            inner: Arc::new(Inner {
                dir: dir.to_owned(),
                db: RwLock::new(Some(Backend::Memory(disk.volume(dir)))),
                syncs: Mutex::new(Some(Syncs::Simulated(disk.clone()))),
                lock: Mutex::default(),
            }),
        })
    }

    /// Where the store is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// When the value is damaged or the disk fails.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Value>, StoreError> {
        let full = full_key(table, key);
        let found = self.with(|db| db.get(&full))?;
        found.map(|raw| self.opened(table, &full, raw)).transpose()
    }

    /// The entry with the greatest key that is not after `key`.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn floor(&self, table: Table, key: &[u8]) -> Result<Option<(Vec<u8>, Value)>, StoreError> {
        let low = full_key(table, &[]);
        let high = full_key(table, key);
        let found = self.with(|db| db.last(Bound::Included(&low), Bound::Included(&high)))?;
        self.entry(table, found)
    }

    /// The first entry of a table.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn first(&self, table: Table) -> Result<Option<(Vec<u8>, Value)>, StoreError> {
        let (low, high) = ([table.id], [table.id + 1]);
        let found = self.with(|db| db.first(Bound::Included(&low), Bound::Excluded(&high)))?;
        self.entry(table, found)
    }

    /// The last entry of a table.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn last(&self, table: Table) -> Result<Option<(Vec<u8>, Value)>, StoreError> {
        let (low, high) = ([table.id], [table.id + 1]);
        let found = self.with(|db| db.last(Bound::Included(&low), Bound::Excluded(&high)))?;
        self.entry(table, found)
    }

    /// Visits the entries of a table in the order of their keys, from `from` inclusive, until
    /// `visit` breaks.
    ///
    /// # Errors
    ///
    /// At the first entry that is damaged or can not be read; entries before it were visited.
    pub fn scan(
        &self,
        table: Table,
        from: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let high = Bound::Excluded(vec![table.id + 1]);
        let low = Bound::Included(full_key(table, from));
        let entries = self.with(|db| Ok(db.range(low, high)))?;
        let mut last = Vec::new();
        for entry in entries {
            let (key, raw) = entry.map_err(|e| self.failed("read after", table, &last, &e))?;
            let value = self.opened(table, &key, raw)?;
            if visit(&key[1..], &value).is_break() {
                break;
            }
            key[1..].clone_into(&mut last);
        }
        Ok(())
    }

    /// Makes a batch visible, all of it or nothing. It is durable after the next sync.
    ///
    /// # Errors
    ///
    /// When a value is too large, and nothing was written; or when the disk fails, now or before.
    pub fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        if let Some((table, len)) = batch.too_large {
            return Err(StoreError::TooLarge { table, len });
        }
        if self.with(|db| db.apply(batch.writes))?
            && let Some(Syncs::Flusher(flusher)) = &*self.inner.syncs.lock()
        {
            flusher.settle_soon();
        }
        Ok(())
    }

    /// Waits until all that was applied before the call survives a loss of power.
    ///
    /// # Errors
    ///
    /// When the disk fails, now or ever before: what it then holds is unknown.
    pub fn sync(&self) -> Result<(), StoreError> {
        // A simulated disk's delay passes in virtual time, which no thread may wait for.
        if let Some(Backend::Memory(volume)) = &*self.inner.db.read() {
            return volume.sync(volume.reach());
        }
        let (done, wait) = std::sync::mpsc::sync_channel(1);
        self.sync_then(Box::new(move |outcome| {
            let _ = done.send(outcome);
        }));
        wait.recv().unwrap_or(Err(StoreError::Closed))
    }

    /// As [`sync`](Self::sync), without waiting: `synced` is called by the flusher's thread,
    /// once for many callers' syncs, and must not block.
    pub fn sync_then(&self, synced: Synced) {
        let syncs = self.inner.syncs.lock();
        match &*syncs {
            Some(Syncs::Flusher(flusher)) => flusher.request(synced),
            Some(Syncs::Simulated(disk)) => {
                let disk = disk.clone();
                drop(syncs);
                self.simulate_sync(&disk, synced);
            }
            None => {
                drop(syncs);
                synced(Err(StoreError::Closed));
            }
        }
    }

    fn simulate_sync(&self, disk: &Disk, synced: Synced) {
        let Some(Backend::Memory(volume)) = self.inner.db.read().clone() else {
            return synced(Err(StoreError::Closed));
        };
        let reach = volume.reach();
        disk.later(Box::new(move || synced(volume.sync(reach))));
    }

    /// Bytes on the disk.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn size(&self) -> Result<u64, StoreError> {
        self.with(Backend::size)
    }

    /// Reads every entry of every table and says what is wrong where. Entries that are whole
    /// are shown to `check`, in the order of tables and keys, which may object to them.
    ///
    /// # Errors
    ///
    /// When the store is closed. Damage is no error here but part of the report.
    pub fn verify(
        &self,
        tables: &[Table],
        check: impl FnMut(Table, &[u8], &[u8]) -> Result<(), String>,
    ) -> Result<Report, StoreError> {
        let db = self.with(|db| Ok(db.clone()))?;
        Ok(Report::of(&self.inner.dir, &db, tables, check))
    }

    /// Syncs and closes the store for all its clones, so that it can be opened again.
    ///
    /// # Errors
    ///
    /// When the last sync failed; the store is closed all the same.
    pub fn close(&self) -> Result<(), StoreError> {
        let outcome = self.sync();
        if let Some(Syncs::Flusher(flusher)) = self.inner.syncs.lock().take() {
            flusher.stop();
        }
        let was = self.inner.db.write().take();
        if matches!(was, Some(Backend::Sled(_))) && outcome.is_ok() {
            note_length(&self.inner.dir)?;
        }
        drop(self.inner.lock.lock().take());
        outcome
    }

    fn with<T>(&self, call: impl FnOnce(&Backend) -> sled::Result<T>) -> Result<T, StoreError> {
        let guard = self.inner.db.read();
        let db = guard.as_ref().ok_or(StoreError::Closed)?;
        call(db).map_err(|error| described(&self.inner.dir, &error))
    }

    fn entry(
        &self,
        table: Table,
        found: Option<Entry>,
    ) -> Result<Option<(Vec<u8>, Value)>, StoreError> {
        let Some((key, raw)) = found else { return Ok(None) };
        let value = self.opened(table, &key, raw)?;
        Ok(Some((key[1..].to_vec(), value)))
    }

    fn opened(&self, table: Table, key: &[u8], raw: sled::IVec) -> Result<Value, StoreError> {
        if sealed_value(key, &raw).is_some() {
            return Ok(Value(raw));
        }
        let place = place(&self.inner.dir, table.name, &key[1..]);
        Err(StoreError::Damaged { what: "wrong checksum".into(), place })
    }

    fn failed(&self, doing: &str, table: Table, key: &[u8], error: &sled::Error) -> StoreError {
        StoreError::Damaged {
            what: format!("failed to {doing}: {error}"),
            place: place(&self.inner.dir, table.name, key),
        }
    }
}

/// The value behind its checksum, if that is right. `key` is the full key.
pub(crate) fn sealed_value<'a>(key: &[u8], raw: &'a [u8]) -> Option<&'a [u8]> {
    let (value, sum) = raw.split_last_chunk::<CHECKSUM_BYTES>()?;
    (u32::from_le_bytes(*sum) == checksum(key, value)).then_some(value)
}

/// The words for where an entry is.
pub(crate) fn place(dir: &Path, table: &str, key: &[u8]) -> String {
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}, table {table}, key {hex}", dir.join("db").display())
}

pub(crate) fn described(dir: &Path, error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Io(why) => StoreError::io("use the database", dir, why),
        sled::Error::Corruption { .. }
        | sled::Error::ReportableBug(_)
        | sled::Error::Unsupported(_)
        | sled::Error::CollectionNotFound(_) => StoreError::Damaged {
            what: error.to_string(),
            place: dir.join("db").display().to_string(),
        },
    }
}

/// Makes a directory's entries durable: what was made, renamed or removed in it.
///
/// # Errors
///
/// When the disk fails.
pub fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir)
        .and_then(|handle| handle.sync_all())
        .map_err(|e| StoreError::io("sync directory", dir, &e))
}

fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|e| StoreError::io("create", &path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(dir.to_owned())),
        Err(TryLockError::Error(e)) => Err(StoreError::io("lock", path, &e)),
    }
}

/// Notes how long the database's file is when it is closed: cut back to an earlier length it
/// would recover to an earlier moment without a word.
fn note_length(dir: &Path) -> Result<(), StoreError> {
    let data = dir.join("db");
    let len = fs::metadata(&data).map_err(|e| StoreError::io("look at", data, &e))?.len();
    let mut writer = Writer::create(&dir.join(CLOSED))?;
    writer.frame(&len.to_le_bytes())?;
    writer.finish()
}

/// Compares the note of the last close, if the store was closed in order, and removes it.
fn check_length(dir: &Path, data: &Path) -> Result<(), StoreError> {
    let note = dir.join(CLOSED);
    if !note.exists() {
        return Ok(());
    }
    let frame = Reader::open(&note)?.frame()?.unwrap_or_default();
    let noted = frame.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let len = fs::metadata(data).map_or(0, |found| found.len());
    if len < noted {
        let what = format!("cut from {noted} to {len} bytes");
        return Err(StoreError::Damaged { what, place: data.display().to_string() });
    }
    fs::remove_file(&note).map_err(|e| StoreError::io("remove", note, &e))
}

/// Opens the database on a thread of its own: it panics on a truncated file.
fn open_guarded(dir: &Path, options: &Options) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(dir)
        .cache_capacity(options.cache_bytes)
        .flush_every_ms(options.flush_every_ms);
    let opener = std::thread::Builder::new().name("store-open".into());
    let opened = opener
        .spawn(move || config.open())
        .map_err(|e| StoreError::io("start a thread for", dir, &e))?
        .join();
    match opened {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error)) => Err(described(dir, &error)),
        Err(panic) => Err(StoreError::Damaged {
            what: format!("the database can not be recovered: {}", words_of(&*panic)),
            place: dir.join("db").display().to_string(),
        }),
    }
}

/// The message of a panic.
pub(crate) fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").chars().take(200).collect()
}

fn full_key(table: Table, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(1 + key.len());
    full.push(table.id);
    full.extend_from_slice(key);
    full
}

fn checksum(key: &[u8], value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(value);
    hasher.finalize()
}
