//! Connections: opening, accepting and running them (RFC 3261 18, RFC 5626 keep-alives).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rustls::pki_types::ServerName;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::config::Transport;
use super::endpoint::Endpoint;
use super::links::{QUEUE, StreamLink, Ticket};
use super::receive::Arrived;
use super::ws;
use crate::message::{Frame, Framer};
use crate::transaction::FlowId;

/// Waiting connections in the kernel.
const BACKLOG: i32 = 1_024;

/// Bytes read at once. Small, because ten thousand phones may be connected.
const READ: usize = 4_096;

/// A peer that takes nothing for so long is gone.
const WRITE: Duration = Duration::from_secs(10);

/// Pause after the system refused to accept: it is out of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Any byte stream.
pub(super) trait Io: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Io for T {}

/// A connection that has been opened, and the sending side's queue.
pub(super) struct Opened {
    pub(super) at: Arrived,
    pub(super) queue: mpsc::Receiver<Bytes>,
    pub(super) proven: Arc<AtomicBool>,
}

pub(super) fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts connections until the endpoint stops.
pub(super) async fn accept(
    endpoint: Arc<Endpoint>,
    listener: TcpListener,
    transport: Transport,
    tls: Option<Arc<rustls::ServerConfig>>,
) {
    loop {
        let Ok((stream, remote)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let is_allowed = endpoint.guard.lock().is_allowed(remote.ip());
        if endpoint.is_banned(remote.ip()) {
            endpoint.counters.banned.add();
            continue;
        }
        let Some(ticket) = endpoint.links.admit(remote.ip(), is_allowed) else {
            endpoint.counters.dropped.add();
            continue;
        };
        let (endpoint, tls) = (endpoint.clone(), tls.clone());
        tokio::spawn(async move {
            // A failed handshake is the peer's affair and no event of ours.
            let _ = welcome(endpoint, stream, remote, transport, tls, ticket).await;
        });
    }
}

async fn welcome(
    endpoint: Arc<Endpoint>,
    stream: TcpStream,
    remote: SocketAddr,
    transport: Transport,
    tls: Option<Arc<rustls::ServerConfig>>,
    ticket: Ticket,
) -> io::Result<()> {
    tune(&stream);
    let local = stream.local_addr()?;
    let limit = endpoint.limits.connect;
    let flow = FlowId::stream(endpoint.serial(), remote);
    let at = Arrived { flow, transport, local };
    match (transport.is_secure(), tls) {
        (true, Some(tls)) => {
            let stream = timeout(limit, TlsAcceptor::from(tls).accept(stream)).await??;
            serve(endpoint, stream, at, ticket).await
        }
        (true, None) => Err(io::Error::other("no certificate")),
        (false, _) => serve(endpoint, stream, at, ticket).await,
    }
}

async fn serve<S: Io>(
    endpoint: Arc<Endpoint>,
    stream: S,
    at: Arrived,
    ticket: Ticket,
) -> io::Result<()> {
    if !matches!(at.transport, Transport::Ws | Transport::Wss) {
        let opened = register(&endpoint, at, None);
        run(endpoint, stream, opened).await;
        drop(ticket);
        return Ok(());
    }
    let handshake = ws::accept(stream, &endpoint.limits);
    let socket = timeout(endpoint.limits.connect, handshake).await?.map_err(io::Error::other)?;
    let opened = register(&endpoint, at, None);
    ws::run(endpoint, socket, opened).await;
    drop(ticket);
    Ok(())
}

/// Enters a connection into the table of links.
fn register(endpoint: &Endpoint, at: Arrived, name: Option<String>) -> Opened {
    let (out, queue) = mpsc::channel(QUEUE);
    let is_allowed = endpoint.guard.lock().is_allowed(at.flow.remote().ip());
    let proven = Arc::new(AtomicBool::new(name.is_some() || is_allowed));
    let link = StreamLink {
        out,
        transport: at.transport,
        local: at.local,
        remote: at.flow.remote(),
        name,
        proven: proven.clone(),
    };
    endpoint.links.add(at.flow, link);
    Opened { at, queue, proven }
}

impl Endpoint {
    /// Opens a connection, or finds one that is open. `name` is what its certificate must
    /// show (RFC 5922).
    pub(super) async fn connect(
        self: &Arc<Self>,
        transport: Transport,
        addr: SocketAddr,
        name: &str,
    ) -> Result<FlowId, String> {
        // One at a time for each peer, so that a burst of calls shares one connection.
        let turn = self.links.turn(transport, addr);
        let _turn = turn.lock().await;
        if let Some(flow) = self.links.find(transport, addr, name) {
            return Ok(flow);
        }
        let opening = self.open_connection(transport, addr, name);
        match timeout(self.limits.connect, opening).await {
            Ok(opened) => opened.map_err(|error| format!("{transport} to {addr}: {error}")),
            Err(_) => Err(format!("{transport} to {addr}: no answer")),
        }
    }

    async fn open_connection(
        self: &Arc<Self>,
        transport: Transport,
        addr: SocketAddr,
        name: &str,
    ) -> io::Result<FlowId> {
        let stream = TcpStream::connect(addr).await?;
        tune(&stream);
        let local = stream.local_addr()?;
        let flow = FlowId::stream(self.serial(), addr);
        let at = Arrived { flow, transport, local };
        if !transport.is_secure() {
            return self.launch_stream(stream, at, name).await;
        }
        let tls = self.tls_client.clone().ok_or_else(|| io::Error::other("no TLS client"))?;
        let server = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(tls).connect(server, stream).await?;
        self.launch_stream(stream, at, name).await
    }

    async fn launch_stream<S: Io>(
        self: &Arc<Self>,
        stream: S,
        at: Arrived,
        name: &str,
    ) -> io::Result<FlowId> {
        let endpoint = self.clone();
        if !matches!(at.transport, Transport::Ws | Transport::Wss) {
            let opened = register(self, at, Some(name.to_owned()));
            tokio::spawn(run(endpoint, stream, opened));
            return Ok(at.flow);
        }
        let socket = ws::connect(stream, at, name, &self.limits).await?;
        let opened = register(self, at, Some(name.to_owned()));
        tokio::spawn(ws::run(endpoint, socket, opened));
        Ok(at.flow)
    }

    /// How long a connection may be silent.
    pub(super) fn patience(&self, proven: &AtomicBool) -> Duration {
        match proven.load(Ordering::Relaxed) {
            true => self.limits.proven_idle,
            false => self.limits.unproven_idle,
        }
    }

    /// Takes a connection out of all tables and fails what waits on it.
    pub(super) fn gone(&self, flow: FlowId) {
        self.links.remove(flow);
        self.stream_closed(flow);
    }
}

enum Wake {
    Read(io::Result<usize>),
    Write(Option<Bytes>),
    Silence,
}

/// Runs a connection until it ends.
async fn run<S: Io>(endpoint: Arc<Endpoint>, mut stream: S, mut opened: Opened) {
    let mut framer = Framer::new(endpoint.limits.framing());
    let mut buffer = vec![0; READ];
    let mut heard = Instant::now();
    loop {
        let until = heard + endpoint.patience(&opened.proven);
        let wake = tokio::select! {
            read = stream.read(&mut buffer) => Wake::Read(read),
            bytes = opened.queue.recv() => Wake::Write(bytes),
            () = sleep_until(until) => Wake::Silence,
        };
        let goes_on = match wake {
            Wake::Read(Ok(length)) if length > 0 => {
                framer.push(&buffer[..length]);
                drain(&endpoint, &mut framer, &mut stream, &opened, &mut heard).await
            }
            Wake::Write(Some(bytes)) => write(&mut stream, &bytes).await,
            // The connection may have been proven while we waited.
            Wake::Silence => Instant::now() < heard + endpoint.patience(&opened.proven),
            Wake::Read(_) | Wake::Write(None) => false,
        };
        if !goes_on {
            break;
        }
    }
    endpoint.gone(opened.at.flow);
    flush(&mut stream, &mut opened.queue).await;
    let _ = timeout(WRITE, stream.shutdown()).await;
}

/// Sends what was queued before the end, such as the answer to a broken message.
async fn flush<S: Io>(stream: &mut S, queue: &mut mpsc::Receiver<Bytes>) {
    queue.close();
    while let Ok(bytes) = queue.try_recv() {
        if !write(stream, &bytes).await {
            return;
        }
    }
}

/// Deals with all whole messages that have come; false ends the connection.
async fn drain<S: Io>(
    endpoint: &Arc<Endpoint>,
    framer: &mut Framer,
    stream: &mut S,
    opened: &Opened,
    heard: &mut Instant,
) -> bool {
    let mut pinged = false;
    loop {
        match framer.next() {
            Ok(Some(Frame::Message(raw))) => {
                *heard = Instant::now();
                if !endpoint.receive(raw, opened.at) {
                    return false;
                }
            }
            // RFC 5626 4.4.1; however many pings have come, one pong is enough.
            Ok(Some(Frame::Ping)) => pinged = true,
            Ok(Some(Frame::Pong)) => {}
            Ok(None) => break,
            Err(error) => {
                endpoint.broken_framing(&error, opened.at);
                return false;
            }
        }
    }
    if !pinged {
        return true;
    }
    if opened.proven.load(Ordering::Relaxed) {
        *heard = Instant::now();
    }
    write(stream, b"\r\n").await
}

async fn write<S: Io>(stream: &mut S, bytes: &[u8]) -> bool {
    let written = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    matches!(timeout(WRITE, written).await, Ok(Ok(())))
}

/// Signalling is small and urgent; a peer that vanished is noticed within minutes.
fn tune(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let probes = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15))
        .with_retries(4);
    let _ = SockRef::from(stream).set_tcp_keepalive(&probes);
}
