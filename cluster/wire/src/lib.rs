//! Bytes that outlive a process: what is written to disk or sent to another node.
//!
//! The encoding is bincode 2 (`config::standard()`: little-endian varints). It has no schema
//! evolution of its own, so what may change carries a schema version ([`Schema`]) and enums
//! only ever grow at their end. Decoding never trusts a length and never ignores a trailing
//! byte.

use bincode::config::{Configuration, Limit, LittleEndian, Varint, standard};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why bytes are not a value of the wanted type.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// More bytes than the caller is willing to read.
    #[error("{len} bytes are more than the limit of {limit}")]
    TooLong {
        /// Bytes that came.
        len: usize,
        /// Bytes that were allowed.
        limit: usize,
    },
    /// The value ended before the bytes did.
    #[error("{0} bytes follow the value")]
    TrailingBytes(usize),
    /// The bytes are not an encoding of the type.
    #[error("malformed encoding")]
    Malformed(#[from] bincode::error::DecodeError),
    /// The schema version is missing.
    #[error("too short for a schema version")]
    NoVersion,
    /// A version that this build does not read.
    #[error("schema version {found} is unknown, this build reads {known}")]
    UnknownVersion {
        /// The version in the bytes.
        found: u16,
        /// The version of the type.
        known: u16,
    },
}

/// A type whose bytes begin with a schema version (u16, little-endian).
pub trait Schema: Serialize + DeserializeOwned {
    /// Raised when the encoding changes; append-only enum variants do not change it.
    const VERSION: u16;
}

/// The bytes of a value.
///
/// # Panics
///
/// When the type itself can not be encoded (a sequence of unknown length): a mistake in the
/// type, not in the value.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, standard()).expect("the type has an encoding")
}

/// Appends the bytes of a value to `out`.
///
/// # Panics
///
/// As [`encode`].
pub fn encode_into<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    bincode::serde::encode_into_std_write(value, out, standard())
        .expect("the type has an encoding");
}

/// Reads a value that fills `bytes` exactly.
///
/// # Errors
///
/// When there are more than `limit` bytes, the bytes are malformed, or some are left over.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, WireError> {
    if bytes.len() > limit {
        return Err(WireError::TooLong { len: bytes.len(), limit });
    }
    // The limit bounds what a hostile length may allocate, so the smallest that fits is taken.
    match bytes.len() {
        0..=0x1000 => exact(bytes, standard().with_limit::<0x1_0000>()),
        0x1001..=0x2_0000 => exact(bytes, standard().with_limit::<0x20_0000>()),
        _ => exact(bytes, standard().with_limit::<0x1000_0000>()),
    }
}

/// The bytes of a value behind its schema version.
#[must_use]
pub fn encode_versioned<T: Schema>(value: &T) -> Vec<u8> {
    encode_as(T::VERSION, value)
}

/// The bytes of a value behind a schema version, for borrowed forms of a [`Schema`] type.
#[must_use]
pub fn encode_as<T: Serialize>(version: u16, value: &T) -> Vec<u8> {
    let mut out = version.to_le_bytes().to_vec();
    encode_into(value, &mut out);
    out
}

/// Reads what [`encode_versioned`] wrote.
///
/// # Errors
///
/// As [`decode`], and when the version is not the type's.
pub fn decode_versioned<T: Schema>(bytes: &[u8], limit: usize) -> Result<T, WireError> {
    let (found, body) = split_version(bytes)?;
    if found != T::VERSION {
        return Err(WireError::UnknownVersion { found, known: T::VERSION });
    }
    decode(body, limit)
}

/// The schema version and what follows it, for readers of several versions.
///
/// # Errors
///
/// When there are fewer than two bytes.
pub fn split_version(bytes: &[u8]) -> Result<(u16, &[u8]), WireError> {
    let (version, body) = bytes.split_first_chunk::<2>().ok_or(WireError::NoVersion)?;
    Ok((u16::from_le_bytes(*version), body))
}

fn exact<T: DeserializeOwned, const N: usize>(
    bytes: &[u8],
    config: Configuration<LittleEndian, Varint, Limit<N>>,
) -> Result<T, WireError> {
    let (value, read) = bincode::serde::decode_from_slice(bytes, config)?;
    if read != bytes.len() {
        return Err(WireError::TrailingBytes(bytes.len() - read));
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
