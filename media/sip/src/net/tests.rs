#![allow(clippy::unwrap_used)]

mod limits;
mod names;
mod remote;
mod routing;
mod streams;
mod torture;
mod transports;
mod udp;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::message::{Draft, Message, Method, Name};
use crate::value::Uri;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Longer than anything on a loaded machine; a test that waits for nothing uses `SHORT`.
const PATIENCE: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(150);

fn any_port() -> SocketAddr {
    SocketAddr::new(LOCALHOST, 0)
}

fn config(transports: &[Transport]) -> Config {
    let tls = Certificate::fresh();
    let listener = |transport: &Transport| Listener {
        tls: transport.is_secure().then(|| tls.server.clone()),
        ..Listener::new(*transport, any_port())
    };
    Config {
        listeners: transports.iter().map(listener).collect(),
        user_agent: "tandem".to_owned(),
        limits: Limits { exempt_loopback: true, ..Limits::default() },
        tls_client: Some(tls.client),
        ..Config::default()
    }
}

/// A certificate for `localhost` and 127.0.0.1, and a client that trusts only it.
struct Certificate {
    server: Arc<rustls::ServerConfig>,
    client: Arc<rustls::ClientConfig>,
}

impl Certificate {
    fn fresh() -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
        let server = rustls::ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.unwrap())
            .unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let client = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { server: Arc::new(server), client: Arc::new(client) }
    }
}

/// An endpoint with its stream of requests.
struct Node {
    handle: Handle,
    inbound: mpsc::Receiver<Inbound>,
}

impl Node {
    async fn start(config: Config) -> Self {
        let (handle, inbound) = start(config).await.unwrap();
        Self { handle, inbound }
    }

    async fn listening(transport: Transport) -> Self {
        Self::start(config(&[transport])).await
    }

    fn addr(&self, transport: Transport) -> SocketAddr {
        self.handle.bound().iter().find(|l| l.transport == transport).unwrap().local
    }

    async fn next(&mut self) -> Inbound {
        timeout(PATIENCE, self.inbound.recv()).await.unwrap().unwrap()
    }

    async fn hears_nothing(&mut self) -> bool {
        timeout(SHORT, self.inbound.recv()).await.is_err()
    }

    fn answer(&self, inbound: &Inbound, status: u16, tag: &str) {
        let mut draft = Draft::response(&inbound.request, status);
        draft.set_to_tag(tag);
        self.handle.respond(inbound.txn, draft);
    }
}

/// A sink whose events a test can wait for.
fn sink() -> (Sink, mpsc::UnboundedReceiver<TuEvent>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let sink: Sink = Arc::new(move |event| {
        let _ = sender.send(event);
    });
    (sink, receiver)
}

async fn event(events: &mut mpsc::UnboundedReceiver<TuEvent>) -> TuEvent {
    timeout(PATIENCE, events.recv()).await.unwrap().unwrap()
}

async fn status(events: &mut mpsc::UnboundedReceiver<TuEvent>) -> u16 {
    match event(events).await {
        TuEvent::Response { response, .. } => response.status().unwrap(),
        other => panic!("no answer: {other:?}"),
    }
}

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

fn towards(addr: SocketAddr, transport: Transport) -> Target {
    let name = transport.as_str().to_ascii_lowercase();
    Target::of(uri(&format!("sip:bob@{addr};transport={name}")))
}

fn draft(method: Method, call_id: &str) -> Draft {
    let cseq = format!("1 {}", method.as_str());
    Draft::request(method, "sip:bob@example.com")
        .with(Name::From, "<sip:alice@example.com>;tag=near")
        .with(Name::To, "<sip:bob@example.com>")
        .with(Name::CallId, call_id)
        .with(Name::CSeq, cseq)
}

/// A peer that writes its messages by hand.
struct Phone {
    socket: UdpSocket,
    to: SocketAddr,
}

impl Phone {
    async fn new(to: SocketAddr) -> Self {
        Self { socket: UdpSocket::bind(any_port()).await.unwrap(), to }
    }

    fn port(&self) -> u16 {
        self.socket.local_addr().unwrap().port()
    }

    async fn send(&self, raw: impl AsRef<[u8]>) {
        self.socket.send_to(raw.as_ref(), self.to).await.unwrap();
    }

    async fn receive(&self) -> Message {
        let mut buffer = vec![0; 65_536];
        let got = timeout(PATIENCE, self.socket.recv_from(&mut buffer)).await.unwrap().unwrap();
        Message::parse(bytes::Bytes::copy_from_slice(&buffer[..got.0])).unwrap()
    }

    async fn hears_nothing(&self) -> bool {
        let mut buffer = [0; 64];
        timeout(SHORT, self.socket.recv_from(&mut buffer)).await.is_err()
    }

    fn request(&self, method: &str, call: &str) -> String {
        raw_request(method, call, &format!("127.0.0.1:{}", self.port()), "UDP")
    }
}

/// A request written by hand. `{}` marks in it are easy to replace in a test.
fn raw_request(method: &str, call: &str, sent_by: &str, transport: &str) -> String {
    format!(
        "{method} sip:bob@127.0.0.1 SIP/2.0\r\n\
         Via: SIP/2.0/{transport} {sent_by};branch=z9hG4bK-{call}-{method};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:alice@127.0.0.1>;tag=near\r\n\
         To: <sip:bob@127.0.0.1>\r\n\
         Call-ID: {call}\r\n\
         CSeq: 1 {method}\r\n\
         Contact: <sip:alice@{sent_by}>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

fn counted(pairs: &[(&'static str, u64)], method: &str) -> u64 {
    pairs.iter().find(|(name, _)| *name == method).unwrap().1
}
