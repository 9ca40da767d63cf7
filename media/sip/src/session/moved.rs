//! A peer that is found by another path than before (RFC 5626 5.3).

use std::time::Instant;

use super::asked::{Asked, Kind};
use super::{Effect, Session, State};
use crate::message::Method;
use crate::net::FlowId;

impl Session {
    /// The path along which requests within the dialog go, if there is one.
    #[must_use]
    pub fn flow(&self) -> Option<FlowId> {
        self.dialogs.first()?.flow
    }

    /// Requests of a dialog that pinned none or another go along this path from now on, and the
    /// peer finds us by this Contact there (RFC 5626 5.3).
    pub fn pin(&mut self, flow: FlowId, contact: &str) {
        contact.clone_into(&mut self.identity.local_contact);
        if let Some(dialog) = self.dialog() {
            dialog.flow = Some(flow);
        }
    }

    /// What the peer has not answered is sent anew, for the path of now. The CSeq numbers are
    /// raised: what was sent may arrive yet. Gives nothing when nothing is under way.
    pub fn ask_anew(&mut self, now: Instant) -> Vec<Effect> {
        if !matches!(self.state, State::Up | State::Ending) {
            return Vec::new();
        }
        self.now = now;
        for mut asked in std::mem::take(&mut self.asked) {
            if !asked.kind.is_repeatable() {
                self.asked.push(asked);
                continue;
            }
            if asked.draft.method() == Some(&Method::Invite) {
                self.asked.push(Box::new(asked.superseded()));
            }
            self.renumber(&mut asked);
            self.send(asked);
        }
        std::mem::take(&mut self.out)
    }

    /// Tells the peer by which Contact it finds us from now on, and changes nothing else
    /// (RFC 3311 5.1, RFC 3261 12.2.2).
    pub fn refresh_contact(&mut self, now: Instant) -> Vec<Effect> {
        self.now = now;
        self.send_refresh();
        std::mem::take(&mut self.out)
    }
}

impl Kind {
    /// Whether a request of a confirmed dialog can be sent anew with another number.
    const fn is_repeatable(self) -> bool {
        match self {
            Self::Reinvite
            | Self::Update
            | Self::Refresh
            | Self::Bye
            | Self::Refer
            | Self::Notify(_)
            | Self::Info => true,
            Self::Invite
            | Self::Silent(_)
            | Self::TakenBack(_)
            | Self::Cancel
            | Self::Prack
            | Self::ForkBye
            | Self::Superseded => false,
        }
    }
}

impl Asked {
    /// What is left of a re-INVITE in whose place another one was sent: a 2xx to it is
    /// acknowledged all the same (RFC 3261 13.2.2.4).
    fn superseded(&self) -> Self {
        self.copy(Kind::Superseded)
    }
}
