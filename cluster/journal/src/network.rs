//! The consensus engine's requests over the transport.

use std::fs::File;
use std::future::Future;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft::alias::{SnapshotMetaOf, SnapshotOf, VoteOf};
use openraft::errors::{
    NetworkError, RPCError, ReplicationClosed, StreamingError, Timeout, Unreachable,
};
use openraft::network::{RPCOption, RPCTypes, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{AnyError, BasicNode};

use crate::contact::Confirmed;
use crate::format::Applied;
use crate::group::Group;
use crate::message::{Ask, Piece, Reply, decode_reply, encode_request};
use crate::transfer::Copy;
use crate::transport::{Lane, Peer, Transport, TransportError};

// One piece of a copy; several fit into a connection's window.
const PIECE_BYTES: usize = 256 * 1024;
// The last piece is answered when the copy is installed.
const PIECE_WITHIN: Duration = Duration::from_secs(10);
const INSTALLED_WITHIN: Duration = Duration::from_secs(600);
// Entries wait for the other's disk, which may be slower than a heartbeat.
const ENTRIES_WITHIN: Duration = Duration::from_secs(1);

/// Makes the links of one member.
pub(crate) struct Links {
    pub(crate) node: u64,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) confirmed: Confirmed,
}

/// The way to one other member.
pub(crate) struct Link {
    node: u64,
    peer: Peer,
    transport: Arc<dyn Transport>,
    confirmed: Confirmed,
    /// Whether the other is of a build that takes the age of a contact.
    takes_ages: bool,
}

impl RaftNetworkFactory<Group> for Links {
    type Network = Link;

    async fn new_client(&mut self, target: u64, member: &BasicNode) -> Link {
        let peer = Peer { node: target, address: member.addr.clone() };
        Link {
            node: self.node,
            peer,
            transport: Arc::clone(&self.transport),
            confirmed: self.confirmed.clone(),
            takes_ages: true,
        }
    }
}

impl Link {
    async fn ask(
        &self,
        kind: RPCTypes,
        lane: Lane,
        ask: Ask,
        within: Duration,
    ) -> Result<Reply, RPCError<Group>> {
        match self.asked(kind, lane, ask, within).await? {
            Reply::Refused(why) => Err(RPCError::Unreachable(Unreachable::from_string(why))),
            reply => Ok(reply),
        }
    }

    /// As [`ask`](Self::ask), with a refusal as the answer that it is.
    async fn asked(
        &self,
        kind: RPCTypes,
        lane: Lane,
        ask: Ask,
        within: Duration,
    ) -> Result<Reply, RPCError<Group>> {
        let request = encode_request(self.peer.node, ask);
        let answer = self.transport.ask(&self.peer, lane, request, within).await;
        let answer = answer.map_err(|error| self.failed(kind, error, within))?;
        decode_reply(&answer).map_err(|error| RPCError::Network(NetworkError::new(&error)))
    }

    fn failed(
        &self,
        action: RPCTypes,
        error: TransportError,
        timeout: Duration,
    ) -> RPCError<Group> {
        match error {
            TransportError::Unreachable(_) => RPCError::Unreachable(Unreachable::new(&error)),
            TransportError::Broken(_) => RPCError::Network(NetworkError::new(&error)),
            TransportError::TimedOut => RPCError::Timeout(Timeout {
                action,
                id: self.node,
                target: self.peer.node,
                timeout,
            }),
        }
    }

    /// The last record that the other has: a copy need not hold what is there.
    async fn stand(&self) -> Result<u64, RPCError<Group>> {
        match self.ask(RPCTypes::InstallSnapshot, Lane::Bulk, Ask::Stand, PIECE_WITHIN).await? {
            Reply::Stand(head) => Ok(head),
            _ => Err(unexpected()),
        }
    }

    /// Sends the file of a copy, piece after piece.
    async fn send_copy(
        &self,
        vote: VoteOf<Group>,
        path: &Path,
        applied: &Applied,
    ) -> Result<SnapshotResponse<Group>, RPCError<Group>> {
        let local = |error: &io::Error| RPCError::Network(NetworkError::new(error));
        let mut file = File::open(path).map_err(|e| local(&e))?;
        let len = file.metadata().map_err(|e| local(&e))?.len();
        let upto = applied.log_id;
        let mut offset = 0;
        loop {
            let mut bytes = vec![0; PIECE_BYTES];
            let read = fill(&mut file, &mut bytes).map_err(|e| local(&e))?;
            bytes.truncate(read);
            let after = offset + u64::try_from(read).unwrap_or(u64::MAX);
            let is_last = after >= len;
            let meta = is_last.then(|| SnapshotMetaOf::<Group> {
                last_log_id: applied.log_id,
                last_membership: applied.membership.clone(),
            });
            let piece = Piece { vote, upto, offset, bytes: Bytes::from(bytes), meta };
            let within = if is_last { INSTALLED_WITHIN } else { PIECE_WITHIN };
            let reply = self.ask(RPCTypes::InstallSnapshot, Lane::Bulk, Ask::Copy(piece), within);
            match reply.await? {
                Reply::Installed(vote) => return Ok(SnapshotResponse::new(vote)),
                Reply::Arrived(arrived) if arrived == after && !is_last => offset = after,
                _ => return Err(unexpected()),
            }
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

fn unexpected() -> RPCError<Group> {
    let error = AnyError::error("the member answered something else than it was asked");
    RPCError::Network(NetworkError::new(&error))
}

impl RaftNetworkV2<Group> for Link {
    type SnapshotData = Copy;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Group>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<Group>, RPCError<Group>> {
        let is_heartbeat = request.entries.is_empty();
        let within = if is_heartbeat { option.soft_ttl() } else { ENTRIES_WITHIN };
        let (kind, lane) = (RPCTypes::AppendEntries, Lane::Consensus);
        if self.takes_ages {
            let age = self.confirmed.age(self.peer.node).as_micros();
            let age = u64::try_from(age).unwrap_or(u64::MAX);
            let ask = Ask::Confirmed(request.clone(), age);
            match self.asked(kind, lane, ask, within).await? {
                Reply::Append(response) => return Ok(response),
                // A member of an older build refuses what it can not read.
                Reply::Refused(_) => {}
                _ => return Err(unexpected()),
            }
        }
        match self.ask(kind, lane, Ask::Append(request), within).await? {
            Reply::Append(response) => {
                self.takes_ages = false;
                Ok(response)
            }
            _ => Err(unexpected()),
        }
    }

    async fn vote(
        &mut self,
        request: VoteRequest<Group>,
        option: RPCOption,
    ) -> Result<VoteResponse<Group>, RPCError<Group>> {
        let (ask, within) = (Ask::Vote(request), option.soft_ttl());
        match self.ask(RPCTypes::Vote, Lane::Consensus, ask, within).await? {
            Reply::Vote(response) => Ok(response),
            _ => Err(unexpected()),
        }
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<Group>,
        option: RPCOption,
    ) -> Result<VoteResponse<Group>, RPCError<Group>> {
        let (ask, within) = (Ask::PreVote(request), option.soft_ttl());
        match self.ask(RPCTypes::Vote, Lane::Consensus, ask, within).await? {
            Reply::Vote(response) => Ok(response),
            _ => Err(unexpected()),
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<Group>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<Group>, RPCError<Group>> {
        let (ask, within) = (Ask::Lead(request), option.soft_ttl());
        match self.ask(RPCTypes::TransferLeader, Lane::Consensus, ask, within).await? {
            Reply::Lead(response) => Ok(response),
            _ => Err(unexpected()),
        }
    }

    async fn full_snapshot(
        &mut self,
        vote: VoteOf<Group>,
        snapshot: SnapshotOf<Group, Copy>,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<Group>, StreamingError<Group>> {
        let target = self.peer.node;
        let after = self.stand().await?;
        let written = tokio::task::spawn_blocking(move || snapshot.snapshot.write(target, after));
        let local = |error: AnyError| StreamingError::Network(NetworkError::new(&error));
        let written = written.await.map_err(|e| local(AnyError::new(&e)))?;
        let (path, applied) = written.map_err(|e| local(AnyError::new(&e)))?;
        let _removed = Removed(path.clone());
        tokio::select! {
            closed = cancel => Err(StreamingError::Closed(closed)),
            sent = self.send_copy(vote, &path, &applied) => Ok(sent?),
        }
    }
}

/// Removes a file that was only made to be sent.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::warn!(%error, "a copy that was sent is not removed");
        }
    }
}
