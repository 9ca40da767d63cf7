//! What other members ask this one.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft::alias::{LogIdOf, VoteOf};
use openraft::async_runtime::WatchReceiver;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse};
use openraft::{Raft, Snapshot};
use tandem_store::StoreError;
use tokio::sync::Mutex;

use crate::contact::Contact;
use crate::group::{Group, io_error};
use crate::leader;
use crate::message::{Ask, Piece, Reply, decode_request, encode_reply};
use crate::records::Records;
use crate::state::State;
use crate::transfer::{Copy, arriving_of, check};
use crate::transport::Lane;

/// Where a transport puts the requests of peers. Clones share it.
#[derive(Clone)]
pub struct Inlet {
    inner: Arc<Answering>,
}

struct Answering {
    node: u64,
    raft: Raft<Group, State>,
    records: Arc<Records>,
    contact: Arc<Contact>,
    // The copy that is arriving: which, and how much of it.
    arriving: Mutex<Option<Arriving>>,
}

struct Arriving {
    from: u64,
    upto: Option<LogIdOf<Group>>,
    file: File,
    len: u64,
}

impl Inlet {
    pub(crate) fn new(
        node: u64,
        raft: Raft<Group, State>,
        records: Arc<Records>,
        contact: Arc<Contact>,
    ) -> Self {
        let arriving = Mutex::default();
        Self { inner: Arc::new(Answering { node, raft, records, contact, arriving }) }
    }

    /// Answers a request of the member `from`, which the transport has authenticated (0 when it
    /// can not tell). What is wrong with a request is said in the answer.
    pub async fn answer(&self, from: u64, _lane: Lane, request: Bytes) -> Bytes {
        let reply = match decode_request(&request) {
            Err(error) => Reply::Refused(error.to_string()),
            Ok(request) if request.to != self.inner.node => {
                Reply::Refused(format!("this is member {}, not {}", self.inner.node, request.to))
            }
            Ok(request) => self.inner.answer(from, request.ask).await,
        };
        encode_reply(&reply)
    }
}

impl Answering {
    async fn answer(&self, from: u64, ask: Ask) -> Reply {
        let outcome = match ask {
            // A leader of an older build does not tell.
            Ask::Append(request) => self.append(request, Duration::ZERO).await,
            Ask::Confirmed(request, micros) => {
                self.append(request, Duration::from_micros(micros)).await
            }
            Ask::Vote(request) => {
                self.raft.vote(request).await.map(Reply::Vote).map_err(|e| e.to_string())
            }
            Ask::PreVote(request) => {
                self.raft.pre_vote(request).await.map(Reply::Vote).map_err(|e| e.to_string())
            }
            Ask::Lead(request) => {
                let answered = self.raft.handle_transfer_leader(request).await;
                answered.map(Reply::Lead).map_err(|e| e.to_string())
            }
            Ask::Stand => Ok(Reply::Stand(self.records.head())),
            Ask::Copy(piece) => self.take(from, piece).await,
            Ask::Forward(batch) => Ok(Reply::Forward(leader::write(&self.raft, batch).await)),
            Ask::Wish(wish) => Ok(Reply::Wish(leader::grant(&self.raft, wish).await)),
        };
        outcome.unwrap_or_else(Reply::Refused)
    }

    /// Takes what a leader asks, whose last contact has an age. How long the answer takes does not
    /// count: the leader counts from when it asked.
    async fn append(
        &self,
        request: AppendEntriesRequest<Group>,
        age: Duration,
    ) -> Result<Reply, String> {
        let asked = self.contact.asked(age);
        // One that has committed nothing of its own yet knows less than those before it, maybe.
        let committed = request.leader_commit.filter(|id| id.leader_id == request.vote.leader_id);
        let committed = committed.map(|id| id.index + 1);
        let answered = self.raft.append_entries(request).await;
        // Whose log is another's has not applied what was committed.
        if answered.as_ref().is_ok_and(AppendEntriesResponse::is_success) {
            let metrics = self.raft.metrics();
            let applied = metrics.borrow_watched().last_applied.map_or(0, |id| id.index + 1);
            self.contact.note(asked, applied, committed);
        }
        answered.map(Reply::Append).map_err(|e| e.to_string())
    }

    /// Takes a piece of a copy; with the last one the copy replaces the state.
    async fn take(&self, from: u64, piece: Piece) -> Result<Reply, String> {
        let mut arriving = self.arriving.lock().await;
        let taken = match arriving.take() {
            Some(it) if it.from == from && it.upto == piece.upto && it.len == piece.offset => it,
            _ if piece.offset == 0 => self.begin(from, piece.upto).map_err(|e| e.to_string())?,
            _ => return Err("a piece of a copy that is not the next".to_owned()),
        };
        let (vote, meta) = (piece.vote, piece.meta);
        let written = tokio::task::spawn_blocking(move || written(taken, &piece.bytes)).await;
        let taken = written.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        let Some(meta) = meta else {
            let len = taken.len;
            *arriving = Some(taken);
            return Ok(Reply::Arrived(len));
        };
        drop(taken);
        let path = arriving_of(self.records.store());
        let found = path.clone();
        let checked = tokio::task::spawn_blocking(move || check(&found)).await;
        checked.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        let snapshot = Snapshot { meta, snapshot: Copy::At(path) };
        self.install(vote, snapshot).await
    }

    async fn install(
        &self,
        vote: VoteOf<Group>,
        snapshot: openraft::alias::SnapshotOf<Group, Copy>,
    ) -> Result<Reply, String> {
        let installed = self.raft.install_full_snapshot(vote, snapshot).await;
        installed.map(|response| Reply::Installed(response.vote)).map_err(|e| e.to_string())
    }

    fn begin(&self, from: u64, upto: Option<LogIdOf<Group>>) -> Result<Arriving, StoreError> {
        let path = arriving_of(self.records.store());
        let file = File::create(&path).map_err(|e| StoreError::Io {
            doing: "create",
            place: path,
            why: e.to_string(),
        })?;
        Ok(Arriving { from, upto, file, len: 0 })
    }
}

fn written(mut arriving: Arriving, bytes: &[u8]) -> std::io::Result<Arriving> {
    arriving.file.write_all(bytes)?;
    arriving.len += u64::try_from(bytes.len()).map_err(io_error)?;
    Ok(arriving)
}
