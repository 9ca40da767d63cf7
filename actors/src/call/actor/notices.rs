//! What a queue tells the call.

use std::time::Duration;

use ractor::ActorRef;
use tokio::time::Instant;

use super::CallState;
use super::route::devices;
use crate::call::machine::{Device, Input};
use crate::call::message::CallMsg;
use crate::queue::{OfferId, QueueNotice};

/// How far one member may be behind another in reading the journal, and how often it looks.
pub(super) const READ_WITHIN: Duration = Duration::from_millis(500);
const READ_AGAIN: Duration = Duration::from_millis(20);

/// The queue, and to which of the call's stays in queues it speaks; none: it does not know.
type From = (String, Option<u32>);
/// An offer, the agent, and how long their phones ring.
type Offered = (OfferId, String, Duration);

impl CallState {
    pub(super) fn notice(
        &mut self,
        myself: &ActorRef<CallMsg>,
        (queue, stay): From,
        notice: QueueNotice,
    ) {
        let waits = self.waits(&queue, stay);
        let input = match notice {
            QueueNotice::Joined { .. } | QueueNotice::Offer { .. } if !waits => {
                Input::Strayed { queue, stay }
            }
            _ if !waits => return,
            QueueNotice::Joined { .. } => {
                self.step(myself, Input::QueueJoined);
                Input::Announce(self.announcements(&queue))
            }
            QueueNotice::Refused { reason, failover } | QueueNotice::Leave { reason, failover } => {
                Input::QueueLeft { exit: reason, failover }
            }
            QueueNotice::Offer { offer, agent, ring_for } => {
                // That the caller has joined is told when the journal has it: an agent who answers
                // at once is quicker.
                if self.call.lacks_words() {
                    let words = self.announcements(&queue);
                    self.step(myself, Input::Announce(words));
                }
                return self.ring(myself, (queue, stay), (offer, agent, ring_for));
            }
            QueueNotice::Place { ahead, wait } => Input::Place { ahead, wait },
            QueueNotice::Withdraw { offer, .. } => {
                self.awaited.retain(|it| offer != OfferId::EVERY && *it != offer);
                Input::Withdrawn { offer }
            }
            QueueNotice::Callback(order) => Input::Callback(order),
        };
        self.step(myself, input);
    }

    fn waits(&self, queue: &str, stay: Option<u32>) -> bool {
        let now = self.call.waits_in();
        now.is_some_and(|(own, at)| own == queue && stay.is_none_or(|it| it == at))
    }

    /// Rings an agent's phones. That they are registered the queue's member may have read a
    /// moment before this one does.
    fn ring(&mut self, myself: &ActorRef<CallMsg>, from: From, offered: Offered) {
        let devices = devices(&self.exchange, &offered.1);
        self.awaited.insert(offered.0);
        if !devices.is_empty() || !self.exchange.journal.is_shared() {
            return self.offered(myself, from, offered, devices);
        }
        let (exchange, myself) = (self.exchange.clone(), myself.clone());
        tokio::spawn(async move {
            let until = Instant::now() + READ_WITHIN;
            let mut devices = devices;
            while devices.is_empty() && Instant::now() < until {
                tokio::time::sleep(READ_AGAIN).await;
                devices = super::devices(&exchange, &offered.1);
            }
            let (queue, stay) = from;
            // A call that is over rings nobody.
            let _gone = myself.cast(CallMsg::Offered { queue, stay, offered, devices });
        });
    }

    /// The phones of an offer are known, unless it was withdrawn in the meantime.
    pub(super) fn offered(
        &mut self,
        myself: &ActorRef<CallMsg>,
        (queue, stay): From,
        (offer, agent, ring_for): Offered,
        devices: Vec<Device>,
    ) {
        if self.awaited.remove(&offer) && self.waits(&queue, stay) {
            self.step(myself, Input::Offered { offer, agent, devices, ring_for });
        }
    }
}
