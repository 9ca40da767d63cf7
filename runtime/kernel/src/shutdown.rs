//! An orderly end: everyone is told, everyone finishes, nobody is waited for without end.

use std::time::Duration;

use tokio::sync::watch;

/// The side that ends things.
#[derive(Debug)]
pub struct Shutdown {
    requested: watch::Sender<bool>,
}

/// Held by whatever must finish before the process may end; dropped when it has.
#[derive(Clone, Debug)]
pub struct Token {
    requested: watch::Receiver<bool>,
}

/// Some did not finish in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} parts did not finish in time")]
pub struct StillRunning(pub usize);

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    /// Nobody is asked to end yet.
    #[must_use]
    pub fn new() -> Self {
        Self { requested: watch::Sender::new(false) }
    }

    /// A token for one more part.
    #[must_use]
    pub fn token(&self) -> Token {
        Token { requested: self.requested.subscribe() }
    }

    /// Asks all to finish.
    pub fn request(&self) {
        self.requested.send_replace(true);
    }

    /// Asks all to finish and waits until every token is dropped, for at most `patience`.
    ///
    /// # Errors
    ///
    /// When tokens are left.
    pub async fn drain(&self, patience: Duration) -> Result<(), StillRunning> {
        self.request();
        tokio::time::timeout(patience, self.requested.closed())
            .await
            .map_err(|_| StillRunning(self.requested.receiver_count()))
    }
}

impl Token {
    /// Whether the end was asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.requested.borrow()
    }

    /// Waits until the end is asked for; also when the [`Shutdown`] itself is gone.
    pub async fn requested(&mut self) {
        let _ = self.requested.wait_for(|requested| *requested).await;
    }
}
