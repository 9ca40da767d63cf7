//! Getting what is not here from who has it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::table::{Fact, Task};
use super::{Copies, FileName};
use crate::gateway::Gateway;
use crate::gateway::words::{Answer, Question};

/// How long a member may take for a piece.
const PIECE_WITHIN: Duration = Duration::from_secs(10);

/// The wait before what nobody could give is asked for again.
const RETRY: Duration = Duration::from_secs(2);

impl Copies {
    /// Gets what is missing and throws away what is gone, for the life of a member.
    pub async fn keep(self, gateway: Gateway) {
        loop {
            let tasks = self.0.table.lock().tasks();
            let mut is_late = false;
            for task in tasks {
                if self.carry_out(&gateway, &task).await {
                    self.0.table.lock().done(&task);
                } else {
                    is_late = true;
                }
            }
            let news = self.0.news.notified();
            if is_late {
                let _again = tokio::time::timeout(RETRY, news).await;
            } else {
                news.await;
            }
        }
    }

    /// Whether the task is done.
    async fn carry_out(&self, gateway: &Gateway, task: &Task) -> bool {
        match task {
            Task::Lose(name) => {
                let Some(path) = self.path(name) else { return true };
                blocking(move || lost(&path)).await
            }
            Task::Have(name, fact) => {
                let Some(path) = self.path(name) else { return true };
                let (at, wanted) = (path.clone(), fact.clone());
                if blocking(move || Ok(is_here(&at, &wanted))).await {
                    return true;
                }
                fetch(gateway, name, fact, &path).await
            }
        }
    }
}

async fn fetch(gateway: &Gateway, name: &FileName, fact: &Fact, path: &Path) -> bool {
    for member in gateway.members() {
        match from(gateway, member, name, fact, path).await {
            Ok(true) => {
                tracing::info!(?name, member, bytes = fact.bytes, "a file was copied");
                return true;
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(?name, member, %error, "a file was not copied"),
        }
    }
    false
}

/// Copies a file from a member; false: it does not have it, or not as it should be.
async fn from(
    gateway: &Gateway,
    member: u64,
    name: &FileName,
    fact: &Fact,
    path: &Path,
) -> io::Result<bool> {
    let unfinished = path.with_extension("copy");
    let (mut hash, mut had) = (blake3::Hasher::new(), 0);
    while had < fact.bytes || had == 0 {
        let question = Question::Piece { name: name.clone(), from: had };
        let answer = gateway.ask_bulk(member, question, PIECE_WITHIN).await;
        let Some(Answer::Piece(bytes)) = answer else { return Ok(false) };
        if bytes.is_empty() || had + bytes.len() as u64 > fact.bytes {
            return Ok(false);
        }
        hash.update(&bytes);
        let (file, is_first) = (unfinished.clone(), had == 0);
        had += bytes.len() as u64;
        run(move || add(&file, &bytes, is_first)).await?;
    }
    if hash.finalize().to_hex().as_str() != fact.checksum {
        return Ok(false);
    }
    let path = path.to_owned();
    run(move || put(&unfinished, &path)).await?;
    Ok(true)
}

fn add(path: &Path, bytes: &[u8], is_first: bool) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = match is_first {
        true => File::create(path)?,
        false => File::options().append(true).open(path)?,
    };
    file.write_all(bytes)
}

fn put(from: &PathBuf, to: &Path) -> io::Result<()> {
    File::open(from)?.sync_all()?;
    fs::rename(from, to)?;
    to.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn is_here(path: &Path, fact: &Fact) -> bool {
    let has_size = fs::metadata(path).is_ok_and(|found| found.len() == fact.bytes);
    let is_same = || {
        let bytes = fs::read(path);
        bytes.is_ok_and(|it| blake3::hash(&it).to_hex().as_str() == fact.checksum)
    };
    has_size && is_same()
}

fn lost(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

async fn run<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
}

async fn blocking(work: impl FnOnce() -> io::Result<bool> + Send + 'static) -> bool {
    run(work).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "a file is looked at again");
        false
    })
}
