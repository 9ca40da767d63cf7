//! What members say to each other about the cluster itself, and what the command line asks.

use serde::{Deserialize, Serialize};
use tandem_kernel::Timestamp;

use crate::identity::ClusterId;
use crate::roster::{Roster, Standing, State};
use crate::{Refusal, clocks};

/// Largest question or answer: a roster of some hundred members fits.
pub(crate) const LIMIT: usize = 256 * 1_024;

/// A question. It crosses nodes: variants are only added at the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Question {
    /// 'Here I am', at each contact and from time to time.
    Announce { address: String, boot: u64, revision: u64 },
    /// The whole roster.
    Roster,
    /// A certificate with a new end; the request proves the key.
    Renew { request: Vec<u8> },
    /// How the asked node sees the cluster.
    Status,
    /// A change of the roster. Who does not write it passes it on to the writer, once.
    Change(Change),
    /// A newer roster than the asked node has.
    News(Roster),
    /// What time it is.
    Clock,
    /// What the asked node and its peers speak.
    Levels,
}

/// What an operator can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// No new work for a member.
    Drain(u64),
    /// A vote for a learner.
    Promote(u64),
    /// Out, for ever.
    Remove(u64),
}

/// An answer. Variants are only added at the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The revision that the answering node has.
    Seen {
        revision: u64,
    },
    Roster(Roster),
    Renewed {
        certificate: Vec<u8>,
    },
    Status(Status),
    Done,
    Refused(Refusal),
    /// The node that could do it does not answer.
    Unreachable(String),
    Clock(Timestamp),
    Levels(Levels),
}

/// Who votes and who leads, as the answering node's keeper of the common data knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The leader, if this node follows one.
    pub leader: Option<u64>,
    /// Members whose votes count.
    pub voters: Vec<u64>,
    /// Whether a majority is within reach, so that writes are taken.
    pub has_quorum: bool,
    /// The last entry that this node has applied.
    pub applied: u64,
}

/// What members speak, as one of them knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// What all have spoken: nobody older is let in.
    pub settled: u16,
    /// By the members' numbers; of a peer the level of the link to it, or of the last one.
    pub members: Vec<(u64, u16)>,
}

/// The cluster as one node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The cluster.
    pub cluster: ClusterId,
    /// The node that answers.
    pub node: u64,
    /// The node that writes the roster and lets others in.
    pub authority: u64,
    /// The revision of its roster.
    pub revision: u64,
    /// The end of its own certificate, microseconds since the Unix epoch.
    pub certificate_until: Timestamp,
    /// Votes and leadership; none before the node has opened what the members share.
    pub group: Option<Group>,
    /// All members but removed ones.
    pub members: Vec<MemberStatus>,
}

/// One member as another sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberStatus {
    /// Its number.
    pub node: u64,
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Whether it votes.
    pub standing: Standing,
    /// Whether it takes new work.
    pub state: State,
    /// The link to it.
    pub link: LinkStatus,
    /// How far its clock is ahead of the answering node's, in microseconds, where it was asked.
    pub ahead_micros: Option<i64>,
}

/// The state of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkStatus {
    /// The answering node itself.
    Own,
    /// Up, with its round-trip time in microseconds.
    Up {
        /// QUIC's smoothed estimate.
        rtt_micros: u64,
    },
    /// Down, and why.
    Down(String),
    /// It refuses us.
    Refused(Refusal),
}

impl LinkStatus {
    /// Whether the member answers; the answering node itself does.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        matches!(self, Self::Own | Self::Up { .. })
    }
}

impl MemberStatus {
    /// How many whole seconds its clock is ahead (below 0: behind), when that is more than clocks
    /// may differ.
    #[must_use]
    pub fn secs_apart(&self) -> Option<i64> {
        self.ahead_micros.and_then(clocks::secs_apart)
    }
}

/// What a node without a certificate says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JoinRequest {
    pub(crate) token: [u8; 8],
    pub(crate) secret: [u8; 16],
    pub(crate) name: String,
    /// Host and port; the host may be empty: then it is where the request comes from.
    pub(crate) address: String,
    pub(crate) request: Vec<u8>,
}

/// What it hears.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum JoinAnswer {
    Welcome { certificate: Vec<u8>, authority: Vec<u8>, roster: Roster },
    Refused(Refusal),
}
