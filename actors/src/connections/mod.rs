//! Phones that are registered at another member of the cluster: their messages go through it, in
//! order with whatever else is told (RFC 5626).
//!
//! | Concern                                            | Owner                      |
//! |----------------------------------------------------|----------------------------|
//! | Whose a message is, what stands in Via and Contact | `tandem_sip::net`          |
//! | Which flow a phone has, and where                  | [`registrar`](crate::registrar) |
//! | The way of a message to the other member           | here, `gateway`            |

#[cfg(test)]
mod tests;
pub mod words;

use std::time::Duration;

use bytes::Bytes;
use tandem_kernel::{Clock, Timestamp};
use tandem_sip::net::{Carrier, FlowId, Handle, RemoteFlow};
use tandem_telemetry::metric;

use self::words::FlowWord;
use crate::gateway::Gateway;

/// Longest message that is carried, in bytes: the longest that is taken on a stream.
const MAX_MESSAGE: usize = 65_536;

/// A message that was on its way for longer is of no use: its sender is told that it was lost, or
/// has sent it again. The clocks of members differ by less (`mesh::clocks`).
const OLDEST: Duration = Duration::from_secs(8);

/// The flows of this member, for the others, and theirs for this one.
pub(crate) struct Flows {
    own: u64,
    gateway: Gateway,
    sip: Handle,
    clock: Clock,
}

impl Flows {
    pub(crate) const fn new(own: u64, gateway: Gateway, sip: Handle, clock: Clock) -> Self {
        Self { own, gateway, sip, clock }
    }

    /// Takes another member's word.
    pub(crate) fn hear(&self, from: u64, word: FlowWord) {
        match word {
            FlowWord::Put { flow, message, at } => self.put_here(from, flow, message, at),
            FlowWord::Came { flow, transport, address, message, at } => {
                if self.is_good(&message, at) {
                    let there = RemoteFlow { member: from, flow, transport, address };
                    self.sip.came(there, message);
                }
            }
            FlowWord::Lost { flow } => self.sip.lost(from, flow),
        }
    }

    /// A member died: what waits for an answer on its flows waits no more.
    pub(crate) fn member_died(&self, member: u64) {
        self.sip.member_lost(member);
    }

    fn put_here(&self, from: u64, flow: FlowId, message: Bytes, at: Timestamp) {
        if !self.is_good(&message, at) {
            return;
        }
        if let Err(why) = self.sip.put(flow, message) {
            tracing::debug!(?flow, why, "a message of another member was not put on its flow");
            dropped("lost");
            // A datagram may be lost; the next one may not.
            if flow.is_reliable() {
                self.gateway.tell_of_flow(from, FlowWord::Lost { flow });
            }
        }
    }

    fn is_good(&self, message: &[u8], at: Timestamp) -> bool {
        if message.len() > MAX_MESSAGE {
            dropped("long");
            return false;
        }
        let is_late = self.clock.now() > at + OLDEST;
        if is_late {
            dropped("late");
        }
        !is_late
    }

    /// Tells a member of a message; false: it is too long, too many wait, or there is no such
    /// member.
    fn tell(&self, member: u64, length: usize, word: FlowWord) -> bool {
        if length > MAX_MESSAGE {
            dropped("long");
            return false;
        }
        let is_told = self.gateway.tell_of_flow(member, word);
        if is_told {
            metric::FLOW_MESSAGES.increment();
        } else {
            dropped("full");
        }
        is_told
    }
}

impl Carrier for Flows {
    fn own(&self) -> u64 {
        self.own
    }

    fn put(&self, member: u64, flow: FlowId, message: Bytes) -> Result<(), String> {
        let (length, at) = (message.len(), self.clock.now());
        match self.tell(member, length, FlowWord::Put { flow, message, at }) {
            true => Ok(()),
            false => Err(format!("member {member} does not take the message")),
        }
    }

    fn hand(&self, member: u64, from: RemoteFlow, message: Bytes) -> bool {
        let RemoteFlow { flow, transport, address, .. } = from;
        let (length, at) = (message.len(), self.clock.now());
        self.tell(member, length, FlowWord::Came { flow, transport, address, message, at })
    }
}

fn dropped(why: &'static str) {
    metric::FLOW_DROPPED.increment_with("reason", why);
}
