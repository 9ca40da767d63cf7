//! Passwords: Argon2id on a few blocking threads, so that a storm of sign-ins can not starve
//! calls.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::Semaphore;

use crate::problem::{Code, Problem};

/// Passwords that are hashed at once. Each takes its memory and a core for its time.
const AT_ONCE: usize = 2;
/// Passwords that may wait for a thread.
const WAITING: usize = 16;

/// How hard a hash is.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3 }
    }
}

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Passwords {
    inner: Arc<Inner>,
}

struct Inner {
    argon2: Argon2<'static>,
    threads: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// A hash of no password: an unknown name costs what a known one does.
    nobody: String,
}

/// The password could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("failed to hash a password: {0}")]
pub struct HashError(String);

impl Passwords {
    /// Passwords at a cost.
    ///
    /// # Errors
    /// When the cost is out of Argon2's range.
    pub fn new(cost: Cost) -> Result<Self, HashError> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None)
            .map_err(|error| HashError(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = nobody(cost);
        let threads = Arc::new(Semaphore::new(AT_ONCE));
        let waiting = Arc::new(Semaphore::new(AT_ONCE + WAITING));
        Ok(Self { inner: Arc::new(Inner { argon2, threads, waiting, nobody }) })
    }

    /// The hash of a password in PHC form, on this thread.
    ///
    /// # Errors
    /// When there is no memory or no randomness.
    pub fn hash_here(&self, password: &str) -> Result<String, HashError> {
        hash(&self.inner.argon2, password)
    }

    /// The hash of a password in PHC form.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Problem> {
        let work = move |inner: &Inner| hash(&inner.argon2, &password);
        self.run(work).await?.map_err(|error| Problem::new(Code::Internal, error.to_string()))
    }

    /// Whether the password is the hash's. Without a hash the answer is no, after the same time.
    pub(crate) async fn verify(
        &self,
        password: String,
        kept: Option<String>,
    ) -> Result<bool, Problem> {
        self.run(move |inner: &Inner| {
            let parsed = PasswordHash::new(kept.as_deref().unwrap_or(&inner.nobody));
            let fits = parsed.is_ok_and(|parsed| {
                inner.argon2.verify_password(password.as_bytes(), &parsed).is_ok()
            });
            fits && kept.is_some()
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let busy = || Problem::too_many("too many sign-ins at once", 2);
        let _place = self.inner.waiting.clone().try_acquire_owned().map_err(|_| busy())?;
        let thread = self.inner.threads.clone().acquire_owned().await.map_err(|_| busy())?;
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || {
            let _thread = thread;
            work(&inner)
        });
        done.await.map_err(|error| Problem::new(Code::Internal, error.to_string()))
    }
}

/// In place of a salt and a hash stand random octets, so that none is computed at each start.
pub(crate) fn nobody(cost: Cost) -> String {
    let salt = STANDARD_NO_PAD.encode(rand::random::<[u8; 16]>());
    let hash = STANDARD_NO_PAD.encode(rand::random::<[u8; 32]>());
    let Cost { memory_kib, passes } = cost;
    format!("$argon2id$v=19$m={memory_kib},t={passes},p=1${salt}${hash}")
}

fn hash(argon2: &Argon2<'static>, password: &str) -> Result<String, HashError> {
    let hashed = argon2.hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| HashError(error.to_string()))
}
