//! The cluster's certificate authority. Its key is on the node that lets others in.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer};
use tandem_kernel::Timestamp;
use time::OffsetDateTime;

use crate::identity::{self, ClusterId};
use crate::{MeshError, Refusal, files};

/// Clocks may differ by this much before a fresh certificate is refused.
const SKEW: Duration = Duration::from_secs(300);

/// The authority's own certificate outlives the machines.
const LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

/// Who a certificate is made out to, and for how long.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The member's number.
    pub node: u64,
    /// The member's name.
    pub name: &'a str,
    /// The moment it begins.
    pub from: Timestamp,
    /// How long it is valid.
    pub lifetime: Duration,
}

/// The authority with its key.
#[derive(Debug)]
pub struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    cluster: ClusterId,
}

impl Authority {
    /// Makes an authority for a new cluster and writes it to `dir`.
    ///
    /// # Errors
    /// When there is one already, or the files can not be written.
    pub fn make(dir: &Path, cluster: ClusterId, now: Timestamp) -> Result<Self, MeshError> {
        if dir.join(files::AUTHORITY).exists() {
            return Err(MeshError::AlreadyMember(dir.to_owned()));
        }
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named(&format!("Tandem cluster {cluster}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = moment(now - SKEW);
        params.not_after = moment(now + LIFETIME);
        let certificate = params.self_signed(&key)?;
        identity::make_folder(dir)?;
        files::write(&dir.join(files::AUTHORITY_KEY), key.serialize_pem().as_bytes())?;
        files::write(&dir.join(files::AUTHORITY), certificate.pem().as_bytes())?;
        let certificate = certificate.der().clone();
        Ok(Self { certificate, issuer: Issuer::new(params, key), cluster })
    }

    /// Reads it, if this node holds its key.
    ///
    /// # Errors
    /// When a file is malformed.
    pub fn load(dir: &Path, cluster: ClusterId) -> Result<Option<Self>, MeshError> {
        let path = dir.join(files::AUTHORITY_KEY);
        if !path.exists() {
            return Ok(None);
        }
        let key = KeyPair::from_pem(&fs::read_to_string(&path)?)?;
        let pem = fs::read(dir.join(files::AUTHORITY))?;
        let certificate = CertificateDer::from_pem_slice(&pem).map_err(|error| {
            MeshError::Unreadable(dir.join(files::AUTHORITY), error.to_string())
        })?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Some(Self { certificate: certificate.clone(), issuer, cluster }))
    }

    /// Its certificate.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Signs a certificate for who proves by `request` to have a key.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] when the request can not be read or its signature is wrong.
    pub fn sign(
        &self,
        request: &[u8],
        order: &Order<'_>,
    ) -> Result<CertificateDer<'static>, Refusal> {
        let request = CertificateSigningRequestDer::from(request);
        let mut request =
            CertificateSigningRequestParams::from_der(&request).map_err(|_| Refusal::Malformed)?;
        // Nothing of what the asker wrote about itself is taken over.
        request.params = self.params(order)?;
        let signed = request.signed_by(&self.issuer).map_err(|_| Refusal::Malformed)?;
        Ok(signed.der().clone())
    }

    fn params(&self, order: &Order<'_>) -> Result<CertificateParams, Refusal> {
        let mut params = CertificateParams::default();
        let name = identity::server_name(self.cluster, order.node);
        let name = name.try_into().map_err(|_| Refusal::Malformed)?;
        params.subject_alt_names = vec![SanType::DnsName(name)];
        params.distinguished_name = named(order.name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = moment(order.from - SKEW);
        params.not_after = moment(order.from + order.lifetime);
        Ok(params)
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn moment(at: Timestamp) -> OffsetDateTime {
    let secs = i64::try_from(at.as_micros() / 1_000_000).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(secs).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
