//! TLS 1.3 on both sides: who is let through the handshake, under which application protocol.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, IdleTimeout, ServerConfig, TransportConfig, VarInt};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::TLS13;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tandem_telemetry::metric;

use crate::identity::{Credentials, Subject};
use crate::{MeshError, Refusal, Timing, level, token};

/// What a connection is for. The order of a large copy never delays a heartbeat, because they are
/// on connections of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Protocol {
    /// Consensus, wishes to the leader, control of the cluster.
    Raft,
    /// Copies.
    Bulk,
    /// One question of a node that has no certificate yet.
    Join,
}

impl Protocol {
    const ALL: [Self; 3] = [Self::Raft, Self::Bulk, Self::Join];

    const fn name(self) -> &'static str {
        match self {
            Self::Raft => "raft",
            Self::Bulk => "bulk",
            Self::Join => "join",
        }
    }

    /// The names on the wire (ALPN, RFC 7301), the newest level first. Pieces of copies and the
    /// question of a joiner have not changed yet.
    fn offers(self, levels: &RangeInclusive<u16>) -> Vec<Vec<u8>> {
        let only_first = 1..=1;
        let levels = if self == Self::Raft { levels } else { &only_first };
        levels.clone().rev().map(|level| format!("{}/{level}", self.name()).into_bytes()).collect()
    }

    /// What was agreed on a connection, and its level.
    pub(crate) fn of(connection: &quinn::Connection) -> Option<(Self, u16)> {
        let data = connection.handshake_data()?;
        let data = data.downcast::<quinn::crypto::rustls::HandshakeData>().ok()?;
        let agreed = String::from_utf8(data.protocol?).ok()?;
        let (name, level) = agreed.split_once('/')?;
        let protocol = Self::ALL.into_iter().find(|protocol| protocol.name() == name)?;
        Some((protocol, level.parse().ok()?))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn roots(authority: &CertificateDer<'static>) -> Result<Arc<RootCertStore>, MeshError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone())?;
    Ok(Arc::new(roots))
}

/// What a member's endpoint accepts.
pub(crate) fn server(
    own: &Credentials,
    levels: &RangeInclusive<u16>,
    timing: &Timing,
) -> Result<ServerConfig, MeshError> {
    let inner = WebPkiClientVerifier::builder_with_provider(roots(&own.authority)?, provider())
        .allow_unauthenticated()
        .build()
        .map_err(|error| MeshError::Tls(error.to_string()))?;
    // The authority goes along, so that a joiner can compare it with its token.
    let chain = vec![own.certificate.clone(), own.authority.clone()];
    let mut tls = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(Gate(inner)))
        .with_single_cert(chain, own.key())?;
    tls.alpn_protocols = Protocol::ALL.iter().flat_map(|it| it.offers(levels)).collect();
    // A resumed session would not look at the certificate's end again.
    tls.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    tls.send_tls13_tickets = 0;
    let quic = QuicServerConfig::try_from(tls).map_err(|e| MeshError::Tls(e.to_string()))?;
    let mut server = ServerConfig::with_crypto(Arc::new(quic));
    server.transport_config(transport(timing));
    Ok(server)
}

/// How a member dials another.
pub(crate) fn client(
    own: &Credentials,
    (protocol, levels): (Protocol, &RangeInclusive<u16>),
    timing: &Timing,
) -> Result<ClientConfig, MeshError> {
    let tls = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots(&own.authority)?)
        .with_client_auth_cert(vec![own.certificate.clone()], own.key())?;
    finish(tls, protocol.offers(levels), timing)
}

/// How a node without a certificate dials the authority that its token names.
pub(crate) fn joiner(authority: [u8; 32], timing: &Timing) -> Result<ClientConfig, MeshError> {
    anonymous(authority, Protocol::Join, timing)
}

/// As a joiner, but asking for what is for members only.
#[cfg(test)]
pub(crate) fn nobody(authority: [u8; 32], timing: &Timing) -> Result<ClientConfig, MeshError> {
    anonymous(authority, Protocol::Raft, timing)
}

fn anonymous(
    authority: [u8; 32],
    protocol: Protocol,
    timing: &Timing,
) -> Result<ClientConfig, MeshError> {
    let tls = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned { authority }))
        .with_no_client_auth();
    finish(tls, protocol.offers(&level::KNOWN), timing)
}

fn finish(
    mut tls: rustls::ClientConfig,
    offers: Vec<Vec<u8>>,
    timing: &Timing,
) -> Result<ClientConfig, MeshError> {
    tls.alpn_protocols = offers;
    tls.resumption = rustls::client::Resumption::disabled();
    let quic = QuicClientConfig::try_from(tls).map_err(|e| MeshError::Tls(e.to_string()))?;
    let mut client = ClientConfig::new(Arc::new(quic));
    client.transport_config(transport(timing));
    Ok(client)
}

/// Streams that a peer may have open at once on one connection.
const STREAMS: u32 = 160;

fn transport(timing: &Timing) -> Arc<TransportConfig> {
    let mut transport = TransportConfig::default();
    let idle = u32::try_from(timing.idle.as_millis()).unwrap_or(u32::MAX);
    transport.max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(idle))));
    transport.keep_alive_interval(Some(timing.keep_alive.max(Duration::from_millis(10))));
    transport.max_concurrent_bidi_streams(VarInt::from_u32(STREAMS));
    transport.max_concurrent_uni_streams(VarInt::from_u32(0));
    transport.datagram_receive_buffer_size(None);
    Arc::new(transport)
}

/// Counts and tells every node that the handshake refuses.
#[derive(Debug)]
struct Gate(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Gate {
    fn offer_client_auth(&self) -> bool {
        true
    }

    /// A joiner has none; for the other protocols the endpoint demands one after the handshake.
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.0.verify_client_cert(certificate, intermediates, now).inspect_err(|error| {
            let refusal = match error {
                rustls::Error::InvalidCertificate(error) => Refusal::from(error),
                _ => Refusal::WrongAuthority,
            };
            let claimed = Subject::read(certificate).map(|subject| subject.name);
            report(&refusal, &claimed.unwrap_or_default());
        })
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// A refusal of this side: counted by reason and told with the name that the other side claims.
pub(crate) fn report(refusal: &Refusal, claimed: &str) {
    metric::CLUSTER_REFUSED.increment_with("reason", refusal.label());
    tracing::warn!(reason = refusal.label(), claimed, "a node was refused: {refusal}");
}

/// Trusts exactly the authority whose fingerprint is known, for any member's name.
#[derive(Debug)]
struct Pinned {
    authority: [u8; 32],
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _asked: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let authority = intermediates
            .iter()
            .find(|certificate| token::fingerprint(certificate) == self.authority)
            .ok_or(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let subject = Subject::read(certificate)
            .map_err(|_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let name = crate::identity::server_name(subject.cluster, subject.node);
        let name = ServerName::try_from(name)
            .map_err(|_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        inner.verify_server_cert(certificate, &[], &name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
