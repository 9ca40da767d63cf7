//! Certificates for TLS and WSS: the operator's, or a self-signed one made once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tandem_config::NodeConfig;

/// The server side for SIP over TLS.
///
/// # Errors
/// When the files can not be read or do not fit each other.
pub(crate) fn server(config: &NodeConfig) -> Result<Arc<ServerConfig>> {
    let (certificate, key) = files(config)?;
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("failed to read the certificate {}", certificate.display()))?;
    let secret = PrivateKeyDer::from_pem_file(&key)
        .with_context(|| format!("failed to read the private key {}", key.display()))?;
    let server =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .context("the certificate and the private key do not fit")?;
    Ok(Arc::new(server))
}

/// The client side towards trunks: only certificates in the node's own file are trusted.
///
/// # Errors
/// When the certificate can not be read.
pub(crate) fn client(config: &NodeConfig) -> Result<Arc<ClientConfig>> {
    let (certificate, _) = files(config)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&certificate)? {
        // A leaf that is no CA is left out; it can still be met as a peer's own certificate.
        let _ignored = roots.add(certificate?);
    }
    let client =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
    Ok(Arc::new(client))
}

fn files(config: &NodeConfig) -> Result<(PathBuf, PathBuf)> {
    if !config.sip.certificate_file.is_empty() {
        let files = (&config.sip.certificate_file, &config.sip.private_key_file);
        return Ok((files.0.into(), files.1.into()));
    }
    let dir = config.node.data_dir.join("tls");
    let pair = (dir.join("certificate.pem"), dir.join("private-key.pem"));
    if !pair.0.exists() || !pair.1.exists() {
        make(&dir, &pair.0, &pair.1, &config.sip.realm)?;
    }
    Ok(pair)
}

fn make(dir: &Path, certificate: &Path, key: &Path, realm: &str) -> Result<()> {
    fs::create_dir_all(dir)?;
    let names = vec![realm.to_owned(), "localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names)
        .context("failed to make a self-signed certificate")?;
    fs::write(certificate, made.cert.pem())?;
    fs::write(key, made.signing_key.serialize_pem())?;
    restrict(key)
}

#[cfg(unix)]
fn restrict(key: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(key, fs::Permissions::from_mode(0o600))?;
    Ok(())
}

#[cfg(not(unix))]
fn restrict(_key: &Path) -> Result<()> {
    Ok(())
}
