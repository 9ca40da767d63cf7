//! Large things: a file of checksummed frames that is there as a whole or not at all.
//!
//! Layout: `TNDF`, u16 format version, then frames of u32 length, u32 CRC-32 and bytes, then an
//! end mark: length `u32::MAX`, u64 number of frames and the CRC-32 of all frames' CRCs. All
//! numbers are little-endian. A file without its end mark is damaged.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::StoreError;
use crate::database::sync_dir;

const MAGIC: [u8; 4] = *b"TNDF";
const VERSION: u16 = 1;
const END: u32 = u32::MAX;

/// Frames must not be larger, so that a damaged length can not ask for all memory.
pub const MAX_FRAME_BYTES: usize = 16 << 20;

/// Writes a file beside its final place and moves it there when it is complete and synced.
pub struct Writer {
    path: PathBuf,
    partial: PathBuf,
    out: BufWriter<File>,
    frames: u64,
    sum: crc32fast::Hasher,
}

impl Writer {
    /// Begins the file that will be at `path`.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        let file = File::create(&partial).map_err(|e| StoreError::io("create", &partial, &e))?;
        let mut writer = Self {
            path: path.to_owned(),
            partial,
            out: BufWriter::new(file),
            frames: 0,
            sum: crc32fast::Hasher::new(),
        };
        writer.put(&MAGIC)?;
        writer.put(&VERSION.to_le_bytes())?;
        Ok(writer)
    }

    /// Adds a frame.
    ///
    /// # Errors
    ///
    /// When it is larger than [`MAX_FRAME_BYTES`] or the disk fails.
    pub fn frame(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let fits = bytes.len() <= MAX_FRAME_BYTES;
        let len = u32::try_from(bytes.len()).ok().filter(|_| fits);
        let Some(len) = len else {
            return Err(StoreError::TooLarge { table: "file", len: bytes.len() });
        };
        let sum = crc32fast::hash(bytes).to_le_bytes();
        self.sum.update(&sum);
        self.frames += 1;
        self.put(&len.to_le_bytes())?;
        self.put(&sum)?;
        self.put(bytes)
    }

    /// Completes the file: it survives a loss of power and has replaced any older one.
    ///
    /// # Errors
    ///
    /// When the disk fails; an older file is then still in place.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let sum = self.sum.clone().finalize();
        self.put(&END.to_le_bytes())?;
        self.put(&self.frames.to_le_bytes())?;
        self.put(&sum.to_le_bytes())?;
        let synced = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        synced.map_err(|e| StoreError::io("sync", &self.partial, &e))?;
        fs::rename(&self.partial, &self.path)
            .map_err(|e| StoreError::io("rename", &self.partial, &e))?;
        self.path.parent().map_or(Ok(()), sync_dir)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.out.write_all(bytes).map_err(|e| StoreError::io("write", &self.partial, &e))
    }
}

/// Reads what a [`Writer`] wrote.
pub struct Reader {
    path: PathBuf,
    from: BufReader<File>,
    frames: u64,
    sum: crc32fast::Hasher,
    is_at_end: bool,
}

impl Reader {
    /// Opens the file at `path`.
    ///
    /// # Errors
    ///
    /// When it is not such a file or the disk fails.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(|e| StoreError::io("open", path, &e))?;
        let mut reader = Self {
            path: path.to_owned(),
            from: BufReader::new(file),
            frames: 0,
            sum: crc32fast::Hasher::new(),
            is_at_end: false,
        };
        if reader.take::<4>()? != MAGIC {
            return Err(reader.damaged("not a file of frames"));
        }
        let version = u16::from_le_bytes(reader.take::<2>()?);
        if version != VERSION {
            return Err(reader.damaged(&format!("format version {version} is unknown")));
        }
        Ok(reader)
    }

    /// The next frame; `None` after the last one of a file that is whole.
    ///
    /// # Errors
    ///
    /// When the frame is damaged or the end is missing.
    pub fn frame(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.is_at_end {
            return Ok(None);
        }
        let len = u32::from_le_bytes(self.take::<4>()?);
        if len == END {
            return self.end();
        }
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if len > MAX_FRAME_BYTES {
            return Err(self.damaged("impossible length"));
        }
        let sum = self.take::<4>()?;
        let mut bytes = vec![0; len];
        self.fill(&mut bytes)?;
        if crc32fast::hash(&bytes).to_le_bytes() != sum {
            return Err(self.damaged("wrong checksum"));
        }
        self.sum.update(&sum);
        self.frames += 1;
        Ok(Some(bytes))
    }

    fn end(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let frames = u64::from_le_bytes(self.take::<8>()?);
        let sum = u32::from_le_bytes(self.take::<4>()?);
        if frames != self.frames || sum != self.sum.clone().finalize() {
            return Err(self.damaged("frames are missing"));
        }
        self.is_at_end = true;
        Ok(None)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), StoreError> {
        match self.from.read_exact(bytes) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.damaged("the end is missing"))
            }
            Err(error) => Err(StoreError::io("read", &self.path, &error)),
        }
    }

    fn damaged(&self, what: &str) -> StoreError {
        StoreError::Damaged {
            what: what.to_owned(),
            place: format!("{}, frame {}", self.path.display(), self.frames),
        }
    }
}
