//! Threads and sockets around a [`Worker`](crate::worker::Worker), in two kinds.

mod epoll;
mod on_tokio;
mod turn;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use crate::mailbox::{Counts, Mailbox, count};
use crate::types::{Backend, EngineError};

pub use turn::go_first;

/// The largest datagram that is taken; more than any path carries unfragmented.
const DATAGRAM: usize = 2048;

/// Starts the thread of a worker; it ends when its mailbox is stopped.
pub(crate) fn spawn(number: usize, backend: Backend) -> Result<Arc<Mailbox>, EngineError> {
    let failed = |doing| move |source| EngineError::Io { doing, source };
    let thread = thread::Builder::new().name(format!("media-{number}"));
    match backend {
        Backend::Epoll => {
            let (mailbox, shell) = epoll::Shell::new().map_err(failed("open an event queue"))?;
            thread.spawn(move || first(|| shell.run())).map_err(failed("start a media worker"))?;
            Ok(mailbox)
        }
        Backend::Tokio => {
            let (mailbox, runtime) = on_tokio::prepare().map_err(failed("open an event queue"))?;
            let posted = Arc::clone(&mailbox.mailbox);
            thread
                .spawn(move || first(|| on_tokio::run(&runtime, &mailbox)))
                .map_err(failed("start a media worker"))?;
            Ok(posted)
        }
    }
}

/// The work of a worker's thread, before that of others if the system permits it.
fn first(work: impl FnOnce()) {
    if let Err(error) = go_first() {
        tracing::info!(%error, "media workers run like any other thread");
    }
    work();
}

/// Notes how a datagram was sent. A full socket buffer or an unreachable network loses the
/// packet, as the network itself may.
fn note_sent(counts: &Counts, sent: &io::Result<usize>) {
    match sent {
        Ok(_) => count(&counts.packets_out, 1),
        Err(_) => count(&counts.send_failures, 1),
    }
}

/// Counts what still waits in the socket of a leg that is closed.
fn note_late(
    counts: &Counts,
    mut receive: impl FnMut(&mut [u8]) -> io::Result<(usize, SocketAddr)>,
) {
    let mut buffer = [0; 16];
    // Bounded: a flood must not hold the worker here.
    for _ in 0..64 {
        if receive(&mut buffer).is_err() {
            return;
        }
        count(&counts.late_packets, 1);
    }
}
