//! Who works on what: calls have threads of their own.
//!
//! What programs, browsers and other members ask may take long or come in crowds, so it is worked
//! on beside the calls. And calls on fewer threads are cheaper: each packet wakes one thread, and
//! what it sets off runs there with warm caches rather than being handed on (benches/README.md).
//! The journal, its store and the media engine have their own threads as well.

use std::io;
use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

/// The node's runtimes; their threads bear these names.
pub(crate) struct Threads {
    /// SIP, and the actors: half of the cores.
    pub(crate) calls: Runtime,
    /// HTTP, its streams and browsers' media, and the links to other members.
    pub(crate) edge: Runtime,
}

impl Threads {
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn start() -> io::Result<Self> {
        let cores = available_parallelism().map_or(1, NonZero::get);
        Ok(Self { calls: runtime("calls", cores.div_ceil(2))?, edge: runtime("edge", cores)? })
    }
}

fn runtime(name: &str, workers: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread().thread_name(name).worker_threads(workers).enable_all().build()
}
