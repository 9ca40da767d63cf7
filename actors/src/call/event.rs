//! The facts of a call. A call record is the fold of its call's events.

use serde::{Deserialize, Serialize};
use tandem_kernel::{CallId, Timestamp};

use crate::callback::Note;
use crate::office::Direction;
use crate::outbound::{Outgoing, Rule};

/// A fact about one call. Append-only; see `event.rs` of the crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallEvent {
    /// The call began.
    Started {
        /// When.
        at: Timestamp,
        /// Where it came from.
        direction: Direction,
        /// The caller's number.
        from: String,
        /// The caller's name; may be empty.
        from_name: String,
        /// What was dialled.
        to: String,
        /// The trunk it came in by.
        trunk: Option<String>,
    },
    /// A person answered; a later one means that the call moved on to another.
    Answered {
        /// When.
        at: Timestamp,
        /// The number that answered.
        by: String,
        /// The trunk it went out by.
        trunk: Option<String>,
    },
    /// The call left a queue.
    QueueLeft {
        /// When.
        at: Timestamp,
        /// The queue's number.
        queue: String,
        /// The exit's code.
        exit: String,
        /// Time waited, in microseconds.
        wait_us: u64,
        /// The agent who answered.
        agent: Option<String>,
    },
    /// A transfer was completed.
    Transferred {
        /// When.
        at: Timestamp,
        /// Who transferred.
        by: String,
        /// To whom.
        to: String,
    },
    /// The call is over.
    Ended {
        /// When.
        at: Timestamp,
        /// Stable outcome code.
        outcome: String,
        /// SIP status or Q.850 cause in words.
        cause: String,
        /// From the first answer to the end, in microseconds.
        talk_us: u64,
        /// Part of it on hold, in microseconds.
        hold_us: u64,
    },
    /// The call passed through a menu, a call flow, a mailbox, a ring group or a prompt.
    Stepped {
        /// When.
        at: Timestamp,
        /// `ivr`, `call_flow`, `voicemail`, `ring`, `prompt`.
        kind: String,
        /// Its number or name.
        key: String,
        /// What happened there, in words.
        detail: String,
    },
    /// The call goes to the outside (O-044).
    Outgoing {
        /// When.
        at: Timestamp,
        /// The extension that placed it; empty: the system.
        by: String,
        /// How it goes out.
        outgoing: Outgoing,
    },
    /// The far end of a line rings, or has answered without ringing (C-012).
    LineRang {
        /// When.
        at: Timestamp,
        /// The trunk.
        trunk: String,
        /// The number sent.
        number: String,
        /// The caller ID shown; empty: the trunk's.
        caller_id: String,
    },
    /// A line did not take the call.
    LineFailed {
        /// When.
        at: Timestamp,
        /// The trunk.
        trunk: String,
        /// The SIP status; ours where the far end gave none.
        status: u16,
        /// What the status means.
        meaning: String,
        /// What was said.
        why: String,
    },
    /// The call was not let out.
    Barred {
        /// When.
        at: Timestamp,
        /// The extension.
        by: String,
        /// What was dialled.
        dialled: String,
        /// Which rule.
        rule: Rule,
        /// In words.
        why: String,
    },
    /// A program asked for the call (D-069).
    Requested {
        /// When.
        at: Timestamp,
        /// Who, e.g. `token:crm`.
        by: String,
        /// What they know it by.
        correlation_id: Option<String>,
    },
    /// A customer called back, and this became of it (C-040).
    CalledBack {
        /// When.
        at: Timestamp,
        /// What.
        note: Note,
    },
    /// The caller has rated the talk with an agent.
    Rated {
        /// When.
        at: Timestamp,
        /// The queue.
        queue: String,
        /// The agent who answered the queue call.
        agent: String,
        /// The key that was pressed.
        key: char,
        /// Its score, -99 to 99.
        score: i8,
    },
    /// A party has brought the far end of another call: more than two talk.
    Merged {
        /// When.
        at: Timestamp,
        /// Who.
        by: String,
        /// Whom.
        party: String,
        /// The other call.
        from: CallId,
    },
    /// One of more than two has left; the others go on.
    PartyLeft {
        /// When.
        at: Timestamp,
        /// Who.
        party: String,
    },
    /// A manager attends the talk, or does so in another way now.
    Monitored {
        /// When.
        at: Timestamp,
        /// The manager's extension.
        by: String,
        /// Whose talk.
        agent: String,
        /// `listen`, `whisper`, `barge`.
        mode: String,
    },
    /// A manager attends it no more.
    MonitorEnded {
        /// When.
        at: Timestamp,
        /// The manager's extension.
        by: String,
    },
    /// A party waits on a slot.
    Parked {
        /// When.
        at: Timestamp,
        /// Who waits.
        party: String,
        /// Who parked them.
        by: String,
        /// The slot.
        slot: u16,
    },
    /// The party has left the slot: fetched, back to who parked them, or gone.
    Unparked {
        /// When.
        at: Timestamp,
        /// The slot.
        slot: u16,
    },
}

impl CallEvent {
    /// The name in the event stream.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "call.started",
            Self::Answered { .. } => "call.answered",
            Self::QueueLeft { .. } => "call.queue_left",
            Self::Transferred { .. } => "call.transferred",
            Self::Ended { .. } => "call.ended",
            Self::Stepped { .. } => "call.stepped",
            Self::Outgoing { .. } => "call.outgoing",
            Self::LineRang { .. } => "call.line_rang",
            Self::LineFailed { .. } => "call.line_failed",
            Self::Barred { .. } => "call.barred",
            Self::Requested { .. } => "call.requested",
            Self::CalledBack { .. } => "call.called_back",
            Self::Rated { .. } => "survey.rated",
            Self::Merged { .. } => "call.merged",
            Self::PartyLeft { .. } => "call.party_left",
            Self::Monitored { .. } => "call.monitored",
            Self::MonitorEnded { .. } => "call.monitor_ended",
            Self::Parked { .. } => "call.parked",
            Self::Unparked { .. } => "call.unparked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity;

    #[test]
    fn the_bytes_of_meetings_and_of_those_who_attend_talks_are_for_ever() {
        let at = Timestamp::from_micros(7);
        let (by, from) = ("1".to_owned(), CallId::from_u128(2));
        let facts = [
            CallEvent::Merged { at, by: by.clone(), party: "3".into(), from },
            CallEvent::PartyLeft { at, party: by.clone() },
            CallEvent::Monitored { at, by: by.clone(), agent: "3".into(), mode: "listen".into() },
            CallEvent::MonitorEnded { at, by: by.clone() },
            CallEvent::Parked { at, party: by.clone(), by, slot: 6 },
            CallEvent::Unparked { at, slot: 6 },
        ];

        let bytes = facts.map(|fact| entity::encode(&fact).to_vec());

        assert_eq!(bytes[0][..8], [1, 0, 13, 7, 1, b'1', 1, b'3']);
        assert_eq!(bytes[1], [1, 0, 14, 7, 1, b'1']);
        assert_eq!(bytes[2][..8], [1, 0, 15, 7, 1, b'1', 1, b'3']);
        assert_eq!(bytes[2][8..], *b"\x06listen");
        assert_eq!(bytes[3], [1, 0, 16, 7, 1, b'1']);
        assert_eq!(bytes[4], [1, 0, 17, 7, 1, b'1', 1, b'1', 6]);
        assert_eq!(bytes[5], [1, 0, 18, 7, 6]);
    }
}
