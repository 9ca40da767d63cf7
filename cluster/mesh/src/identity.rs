//! Who a node is: its certificate, its key, and what a certificate says.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tandem_kernel::Timestamp;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::{MeshError, Refusal, files};

/// A cluster's own mark, made once by `cluster init`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterId(pub u64);

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for ClusterId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

/// The name that a node's certificate is made out to. TLS checks it when the node is dialled, so
/// that nobody but node `node` answers for it.
pub(crate) fn server_name(cluster: ClusterId, node: u64) -> String {
    format!("n{node}.{cluster}.tandem")
}

/// What a node's certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The cluster.
    pub cluster: ClusterId,
    /// The member's number.
    pub node: u64,
    /// The member's name.
    pub name: String,
    /// SHA-256 of its public key.
    pub key: [u8; 32],
    /// The first moment.
    pub from: Timestamp,
    /// The last moment.
    pub until: Timestamp,
}

impl Subject {
    /// Reads a certificate. It says nothing about who signed it.
    ///
    /// # Errors
    /// [`Refusal::WrongName`] when it is no node's certificate.
    pub fn read(certificate: &CertificateDer<'_>) -> Result<Self, Refusal> {
        let (_, x509) = X509Certificate::from_der(certificate).map_err(|_| Refusal::Malformed)?;
        let names = x509.subject_alternative_name().ok().flatten().ok_or(Refusal::WrongName)?;
        let (node, cluster) = names
            .value
            .general_names
            .iter()
            .find_map(|name| match name {
                GeneralName::DNSName(name) => read_server_name(name),
                _ => None,
            })
            .ok_or(Refusal::WrongName)?;
        let mut common_names = x509.subject().iter_common_name();
        let name = common_names.next().and_then(|name| name.as_str().ok()).unwrap_or_default();
        let validity = x509.validity();
        Ok(Self {
            cluster,
            node,
            name: name.to_owned(),
            key: Sha256::digest(x509.public_key().raw).into(),
            from: moment(validity.not_before.timestamp()),
            until: moment(validity.not_after.timestamp()),
        })
    }
}

fn read_server_name(name: &str) -> Option<(u64, ClusterId)> {
    let mut parts = name.strip_prefix('n')?.split('.');
    let (node, cluster) = (parts.next()?, parts.next()?);
    Some((node.parse().ok()?, cluster.parse().ok()?))
}

fn moment(secs: i64) -> Timestamp {
    Timestamp::from_secs(u64::try_from(secs).unwrap_or(0))
}

/// A node's certificate with its key and the authority that signed it.
#[derive(Debug)]
pub struct Credentials {
    /// What the certificate says.
    pub subject: Subject,
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// The authority's certificate.
    pub authority: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Credentials {
    /// Whether a data directory belongs to a member of a cluster.
    #[must_use]
    pub fn exist(dir: &Path) -> bool {
        dir.join(files::NODE).exists()
    }

    /// Reads those of a member.
    ///
    /// # Errors
    /// When a file is missing or malformed.
    pub fn load(dir: &Path) -> Result<Self, MeshError> {
        let pem = |name: &str| {
            CertificateDer::from_pem_file(dir.join(name))
                .map_err(|error| MeshError::Unreadable(dir.join(name), error.to_string()))
        };
        let key = PrivateKeyDer::from_pem_file(dir.join(files::NODE_KEY))
            .map_err(|error| MeshError::Unreadable(dir.join(files::NODE_KEY), error.to_string()))?;
        Self::new(pem(files::NODE)?, pem(files::AUTHORITY)?, key)
    }

    /// Puts them together.
    pub(crate) fn new(
        certificate: CertificateDer<'static>,
        authority: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, MeshError> {
        let subject = Subject::read(&certificate)?;
        Ok(Self { subject, certificate, authority, key })
    }

    /// Writes them for the next start.
    pub(crate) fn save(&self, dir: &Path) -> Result<(), MeshError> {
        let key = pem("PRIVATE KEY", self.key.secret_der());
        for (name, text) in [
            (files::NODE_KEY, key),
            (files::AUTHORITY, pem("CERTIFICATE", &self.authority)),
            (files::NODE, pem("CERTIFICATE", &self.certificate)),
        ] {
            files::write(&dir.join(name), text.as_bytes())?;
        }
        Ok(())
    }

    /// The key, for TLS.
    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }

    /// A request for a certificate with the same key and a new end.
    pub(crate) fn renewal(&self) -> Result<Vec<u8>, MeshError> {
        request(&KeyPair::try_from(self.key.secret_der()).map_err(MeshError::Certificate)?)
    }
}

/// A request for a certificate (PKCS #10). What it says of names is not looked at: it proves that
/// the asker has the key.
pub(crate) fn request(key: &KeyPair) -> Result<Vec<u8>, MeshError> {
    let request = CertificateParams::default().serialize_request(key)?;
    Ok(request.der().to_vec())
}

/// The PEM form (RFC 7468).
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

/// Where a member's files are.
pub(crate) fn make_folder(dir: &Path) -> Result<(), MeshError> {
    fs::create_dir_all(dir)?;
    Ok(())
}
