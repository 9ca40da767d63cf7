//! A TCP listener that holds so many connections at most; further ones wait in the kernel.
//! Nobody keeps a place for nothing: a connection to which nothing could be written for long,
//! because its client does not finish a request or does not read, is cut (S37, S38).

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// The bounded listener.
pub(crate) struct Bounded {
    listener: TcpListener,
    places: Arc<Semaphore>,
    quiet: Duration,
}

/// A connection in its place.
pub(crate) struct Connection {
    stream: TcpStream,
    quiet: Duration,
    cut: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl Bounded {
    pub(crate) fn new(listener: TcpListener, connections: usize, quiet: Duration) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(connections)), quiet }
    }
}

impl Connection {
    fn new(stream: TcpStream, quiet: Duration, place: Option<OwnedSemaphorePermit>) -> Self {
        Self { stream, quiet, cut: Box::pin(sleep(quiet)), _place: place }
    }

    /// Takes the outcome of a write: what was written puts the cut off, what waits may meet it.
    fn wrote(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(_)) => self.cut.as_mut().reset(Instant::now() + self.quiet),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => return Poll::Ready(Err(ready!(self.quiet(context)))),
        }
        written
    }

    /// Ready when nothing was written for too long.
    fn quiet(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        ready!(self.cut.as_mut().poll(context));
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The semaphore is never closed, so there always is a place in the end.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Small replies go out at once; without it they only go out later.
        let _slower = stream.set_nodelay(true);
        (Connection::new(stream, self.quiet, place), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Bounded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        Self(stream.remote_addr().ip().to_canonical())
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => Poll::Ready(Err(ready!(self.quiet(context)))),
            read => read,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
