//! A line between a client and the node that can freeze and break, as a network does.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the line does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Bytes pass.
    Up,
    /// Nothing passes and nobody is told; what was under way waits.
    Frozen,
    /// Every connection breaks and what was under way is lost; no new one is made.
    Broken,
}

/// A relay of TCP connections. They end with the value.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    line: watch::Sender<Line>,
    target: watch::Sender<String>,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// A relay to an address.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn to(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap();
        let (line, state) = watch::channel(Line::Up);
        let (target, to) = watch::channel(address.to_owned());
        let accepting = tokio::spawn(accept(listener, to, state));
        Self { address: own, line, target, accepting }
    }

    /// Where clients connect to.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Who connects from now on is led to another address.
    pub fn lead_to(&self, address: &str) {
        self.target.send_replace(address.to_owned());
    }

    /// From now on nothing passes.
    pub fn freeze(&self) {
        self.line.send_replace(Line::Frozen);
    }

    /// Breaks every connection; what was under way is lost.
    pub fn break_off(&self) {
        self.line.send_replace(Line::Broken);
    }

    /// Bytes pass again.
    pub fn mend(&self) {
        self.line.send_replace(Line::Up);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
        self.break_off();
    }
}

async fn accept(listener: TcpListener, to: watch::Receiver<String>, line: watch::Receiver<Line>) {
    while let Ok((client, _)) = listener.accept().await {
        if *line.borrow() == Line::Broken {
            continue;
        }
        let target = to.borrow().clone();
        let Ok(server) = TcpStream::connect(&target).await else { continue };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::spawn(carry(from_client, to_server, line.clone()));
        tokio::spawn(carry(from_server, to_client, line.clone()));
    }
}

/// Carries bytes one way until an end goes away or the line breaks.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut line: watch::Receiver<Line>) {
    let mut broken = line.clone();
    let work = async {
        let mut bytes = vec![0; 4_096];
        while let Ok(read @ 1..) = from.read(&mut bytes).await {
            if line.wait_for(|line| *line != Line::Frozen).await.is_err() {
                return;
            }
            if to.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        // A line that breaks loses what it holds, even if it would be free to write.
        biased;
        _ = broken.wait_for(|line| *line == Line::Broken) => {}
        () = work => {}
    }
}
