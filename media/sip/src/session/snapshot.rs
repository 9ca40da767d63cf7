//! What of a confirmed session outlives its process.

use std::net::SocketAddr;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::chance::Chance;
use super::dialog::Dialog;
use super::effect::Effect;
use super::offer::Exchange;
use super::refer::Transfers;
use super::refresh::Refresh;
use super::timer::Timers;
use super::{Identity, Session, State};
use crate::digest::Credentials;

/// A confirmed session at rest. What was under way when it was taken is lost: an offer is not
/// answered, a transfer is not followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    call_id: String,
    local_tag: String,
    is_caller: bool,
    dialog: Dialog,
    refresh: Refresh,
    /// Our description that stands.
    local: Option<Vec<u8>>,
    remote: u64,
}

impl Snapshot {
    /// The dialog's Call-ID.
    #[must_use]
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Our description that stands.
    #[must_use]
    pub fn local(&self) -> Option<&[u8]> {
        self.local.as_deref()
    }

    /// The peer's Contact.
    #[must_use]
    pub fn target(&self) -> &str {
        self.dialog.target()
    }

    /// Whether the peer was spoken to on a connection, or on a flow of another member: what has
    /// such a flow now has to be found.
    #[must_use]
    pub fn is_on_connection(&self) -> bool {
        self.dialog.flow.is_some_and(|flow| flow.is_reliable() || flow.is_remote())
    }

    /// Whether the peer was spoken to on a connection, whichever member of a cluster had it.
    #[must_use]
    pub fn is_reliable(&self) -> bool {
        self.dialog.flow.is_some_and(|flow| flow.is_reliable())
    }

    /// The peer's address, if it is spoken to without a proxy.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.dialog.flow.map(|flow| flow.remote()).or(self.dialog.at)
    }
}

impl Session {
    /// A picture of the session, if it is confirmed and nobody has hung up.
    #[must_use]
    pub fn snapshot(&self) -> Option<Snapshot> {
        if !self.is_up() || self.is_unconfirmed() {
            return None;
        }
        Some(Snapshot {
            call_id: self.call_id.clone(),
            local_tag: self.local_tag.clone(),
            is_caller: self.is_caller,
            dialog: self.dialogs.first()?.clone(),
            refresh: self.refresh.clone(),
            local: self.exchange.local.as_ref().map(|local| local.to_vec()),
            remote: self.exchange.remote(),
        })
    }

    /// Goes on from a picture. The session timer starts anew.
    #[must_use]
    pub fn restore(
        now: Instant,
        snapshot: Snapshot,
        identity: &Identity,
        credentials: Option<Credentials>,
    ) -> (Self, Vec<Effect>) {
        /// Requests that were sent after the picture was taken have used CSeq numbers.
        const GAP: u32 = 100;
        let mut dialog = snapshot.dialog;
        dialog.local_cseq += GAP;
        // The path was the other process's; the peer is still at its end.
        if let Some(flow) = dialog.flow.take() {
            dialog.at = Some(flow.remote());
        }
        let local = snapshot.local.map(bytes::Bytes::from);
        let mut session = Self {
            identity: Box::new(identity.clone()),
            chance: Chance::of(&snapshot.call_id, &snapshot.local_tag),
            call_id: snapshot.call_id,
            local_tag: snapshot.local_tag,
            is_caller: snapshot.is_caller,
            credentials: credentials.map(Box::new),
            state: State::Up,
            dialogs: vec![dialog],
            asked: SmallVec::new(),
            next_request: 0,
            timers: Timers::default(),
            exchange: Exchange::standing(local, snapshot.remote),
            unacked: None,
            acks: SmallVec::new(),
            refresh: snapshot.refresh,
            transfers: Transfers::default(),
            is_over: false,
            now,
            out: Vec::new(),
        };
        let (call_id, local_tag) = (session.call_id.clone(), session.local_tag.clone());
        session.out.push(Effect::Attach { call_id, local_tag });
        session.start_refresh();
        let out = std::mem::take(&mut session.out);
        (session, out)
    }
}
