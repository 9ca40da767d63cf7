//! What members ask each other. Enums only grow at their end; another shape of what is there
//! raises the schema version.

use bytes::Bytes;
use openraft::alias::{LogIdOf, SnapshotMetaOf, VoteOf};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, TransferLeaderRequest, TransferLeaderResponse,
    VoteRequest, VoteResponse,
};
use serde::{Deserialize, Serialize};
use tandem_wire::{Schema, WireError, decode_versioned, encode_versioned};

use crate::error::MemberError;
use crate::group::{Batch, Group, Outcomes};
use crate::transport::{MAX_BODY_BYTES, Peer};

/// A request with the member that it is meant for: a member that came back empty has another
/// number and must not answer for the old one.
#[derive(Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) to: u64,
    pub(crate) ask: Ask,
}

impl Schema for Request {
    const VERSION: u16 = 1;
}

#[derive(Serialize, Deserialize)]
pub(crate) enum Ask {
    Append(AppendEntriesRequest<Group>),
    Vote(VoteRequest<Group>),
    PreVote(VoteRequest<Group>),
    Lead(TransferLeaderRequest<Group>),
    /// Where the last record is that the asked member has.
    Stand,
    Copy(Piece),
    Forward(Batch),
    Wish(Wish),
    /// As `Append`, with the age of the leader's last contact, in microseconds.
    Confirmed(AppendEntriesRequest<Group>, u64),
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    Append(AppendEntriesResponse<Group>),
    Vote(VoteResponse<Group>),
    Lead(TransferLeaderResponse<Group>),
    Stand(u64),
    /// So many bytes of the copy have arrived.
    Arrived(u64),
    /// The copy was installed, or the vote that it came with is stale.
    Installed(VoteOf<Group>),
    Forward(Result<Outcomes, Elsewhere>),
    Wish(Result<Granted, WishError>),
    /// Nothing was done.
    Refused(String),
}

impl Schema for Reply {
    const VERSION: u16 = 1;
}

/// A piece of a copy.
#[derive(Serialize, Deserialize)]
pub(crate) struct Piece {
    pub(crate) vote: VoteOf<Group>,
    /// Which copy it belongs to: the last entry in it.
    pub(crate) upto: Option<LogIdOf<Group>>,
    /// Where the piece begins, in bytes.
    pub(crate) offset: u64,
    pub(crate) bytes: Bytes,
    /// Set on the last piece.
    pub(crate) meta: Option<SnapshotMetaOf<Group>>,
}

/// The asked member does not lead, or not any more: ask again elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Elsewhere {
    /// Whom it believes to lead.
    pub(crate) leader: Option<u64>,
}

/// What the leader is asked to do with the membership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wish {
    NextNode,
    AddLearner(Peer),
    Promote(u64),
    Demote(u64),
    Remove(u64),
    Relocate(Peer),
    HandOver(Option<u64>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Granted {
    Done,
    Node(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WishError {
    Elsewhere(Elsewhere),
    Refused(MemberError),
}

pub(crate) fn encode_request(to: u64, ask: Ask) -> Bytes {
    Bytes::from(encode_versioned(&Request { to, ask }))
}

pub(crate) fn decode_request(bytes: &[u8]) -> Result<Request, WireError> {
    decode_versioned(bytes, MAX_BODY_BYTES)
}

pub(crate) fn encode_reply(reply: &Reply) -> Bytes {
    Bytes::from(encode_versioned(reply))
}

pub(crate) fn decode_reply(bytes: &[u8]) -> Result<Reply, WireError> {
    decode_versioned(bytes, MAX_BODY_BYTES)
}
