//! What can go wrong with a cluster's certificates, files and links.

use std::io;
use std::path::PathBuf;

use crate::{Refusal, level};

/// The crate's error.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    /// Somebody said no.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// Nobody answers there.
    #[error("failed to reach {0}")]
    Unreachable(String),
    /// The data directory belongs to a member already.
    #[error("{0} belongs to a member of a cluster already")]
    AlreadyMember(PathBuf),
    /// A file of the member is missing or malformed.
    #[error("failed to read {0}: {1}")]
    Unreadable(PathBuf, String),
    /// The disk.
    #[error("failed to read or write the member's files")]
    Io(#[from] io::Error),
    /// Making a key or a certificate.
    #[error("failed to make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library does not take our own certificate.
    #[error("the certificate, its key and the authority do not fit")]
    Keys(#[from] rustls::Error),
    /// The TLS library does not take the configuration.
    #[error("failed to set up TLS: {0}")]
    Tls(String),
    /// An operator's or a build's level is not one that the cluster speaks.
    #[error(
        "the level {wanted} is none that this build can speak here: it speaks {} to {}, and the \
         cluster has settled on {settled}",
        level::OLDEST,
        level::NEWEST
    )]
    Level {
        /// The level that was to be the highest.
        wanted: u16,
        /// What all members have spoken.
        settled: u16,
    },
    /// A file could not be encoded.
    #[error("failed to encode a file")]
    Json(#[from] serde_json::Error),
}
