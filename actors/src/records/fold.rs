//! Call records as a value: the fold of the calls' events.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_kernel::{CallId, Position, Timestamp};

use crate::call::event::CallEvent;
use crate::callback::Note;
use crate::office::{CallRecord, CallStep, Direction, QueuePassage, Rating};
use crate::outbound::Outgoing;

/// Steps that a record keeps: a caller can walk through menus for hours.
const MAX_STEPS: usize = 200;

/// A call that has begun and not ended.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OpenCall {
    direction: Direction,
    from: String,
    to: String,
    trunk: Option<String>,
    started_at: Timestamp,
    answered_at: Option<Timestamp>,
    answered_by: Option<String>,
    queue: Option<QueuePassage>,
    steps: Vec<CallStep>,
    outgoing: Option<Outgoing>,
    requested: Option<(String, Option<String>)>,
    callback: Option<Note>,
    rating: Option<Rating>,
}

/// The calls that are open; ended ones leave as records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fold {
    open: BTreeMap<CallId, OpenCall>,
}

impl Fold {
    /// Takes an event in; an ended call gives its record.
    pub fn apply(
        &mut self,
        position: Position,
        call: CallId,
        event: &CallEvent,
    ) -> Option<CallRecord> {
        if let CallEvent::Started { at, direction, from, to, trunk, .. } = event {
            let open = OpenCall {
                direction: *direction,
                from: from.clone(),
                to: to.clone(),
                trunk: trunk.clone(),
                started_at: *at,
                answered_at: None,
                answered_by: None,
                queue: None,
                steps: Vec::new(),
                outgoing: None,
                requested: None,
                callback: None,
                rating: None,
            };
            self.open.insert(call, open);
            return None;
        }
        let open = self.open.get_mut(&call)?;
        match event {
            CallEvent::Started { .. } => {}
            CallEvent::Answered { at, by, trunk } => open.answer(*at, by, trunk.as_ref()),
            CallEvent::QueueLeft { queue, exit, wait_us, agent, .. } => {
                open.queue = Some(QueuePassage {
                    queue: queue.clone(),
                    exit: exit.clone(),
                    wait: Duration::from_micros(*wait_us),
                    agent: agent.clone(),
                });
            }
            CallEvent::Stepped { .. }
            | CallEvent::Merged { .. }
            | CallEvent::PartyLeft { .. }
            | CallEvent::Monitored { .. }
            | CallEvent::MonitorEnded { .. }
            | CallEvent::Parked { .. }
            | CallEvent::Unparked { .. } => open.walk(event),
            CallEvent::Outgoing { outgoing, .. } => open.go_out(outgoing),
            CallEvent::LineRang { trunk, .. } | CallEvent::LineFailed { trunk, .. } => {
                open.tried(trunk);
            }
            CallEvent::CalledBack { note, .. } => open.callback = Some(note.clone()),
            CallEvent::Rated { queue, agent, key, score, .. } => {
                let (queue, agent) = (queue.clone(), agent.clone());
                open.rating = Some(Rating { queue, agent, key: *key, score: *score });
            }
            CallEvent::Barred { .. } => open.is_outbound(),
            CallEvent::Requested { by, correlation_id, .. } => {
                open.requested = Some((by.clone(), correlation_id.clone()));
            }
            CallEvent::Transferred { by, to, .. } => {
                // Whoever comes in the caller's place has not answered.
                if *by != open.from {
                    open.answered_by = Some(to.clone());
                }
                open.walk(event);
            }
            CallEvent::Ended { at, outcome, cause, talk_us, hold_us } => {
                let open = self.open.remove(&call)?;
                let spans = (Duration::from_micros(*talk_us), Duration::from_micros(*hold_us));
                return Some(open.close(position, call, *at, outcome, cause, spans));
            }
        }
        None
    }

    /// Whether an extension has, or had, a part in an open call: also one that has handed it on.
    #[must_use]
    pub fn had_part(&self, call: CallId, extension: &str) -> bool {
        self.open.get(&call).is_some_and(|open| {
            let agent = open.queue.as_ref().and_then(|passage| passage.agent.as_deref());
            let by = open.answered_by.as_deref();
            open.from == extension || [agent, by].contains(&Some(extension))
        })
    }

    /// Whether a call has begun and not ended.
    #[must_use]
    pub fn is_open(&self, call: CallId) -> bool {
        self.open.contains_key(&call)
    }

    /// A call, if it is open.
    #[must_use]
    pub fn find(&self, call: CallId) -> Option<&OpenCall> {
        self.open.get(&call)
    }

    /// The calls that are open: after a restart, those that the crash cut off.
    pub fn open(&self) -> impl Iterator<Item = (CallId, &OpenCall)> {
        self.open.iter().map(|(id, call)| (*id, call))
    }
}

impl OpenCall {
    /// Takes a step in.
    fn walk(&mut self, event: &CallEvent) {
        let (at, kind, key, detail) = match event {
            CallEvent::Stepped { at, kind, key, detail } => {
                (at, kind.as_str(), key.clone(), detail.clone())
            }
            CallEvent::Merged { at, by, party, .. } => {
                (at, "merge", party.clone(), format!("brought by {by}"))
            }
            CallEvent::PartyLeft { at, party } => {
                (at, "leave", party.clone(), "the others go on".to_owned())
            }
            CallEvent::Monitored { at, by, agent, mode } => {
                (at, "monitor", by.clone(), format!("{mode}: {agent}"))
            }
            CallEvent::Transferred { at, by, to } => {
                (at, "transfer", to.clone(), format!("by {by}"))
            }
            CallEvent::Parked { at, party, by, slot } => {
                (at, "park", slot.to_string(), format!("{party}, by {by}"))
            }
            _ => return,
        };
        if self.steps.len() < MAX_STEPS {
            self.steps.push(CallStep { at: *at, kind: kind.to_owned(), key, detail });
        }
    }

    fn answer(&mut self, at: Timestamp, by: &str, trunk: Option<&String>) {
        self.answered_at.get_or_insert(at);
        self.answered_by = Some(by.to_owned());
        if let Some(trunk) = trunk {
            self.trunk.get_or_insert_with(|| trunk.clone());
            if self.direction == Direction::Internal {
                self.direction = Direction::Outbound;
            }
        }
    }

    fn is_outbound(&mut self) {
        if self.direction == Direction::Internal {
            self.direction = Direction::Outbound;
        }
    }

    fn go_out(&mut self, outgoing: &Outgoing) {
        self.is_outbound();
        self.outgoing = Some(outgoing.clone());
    }

    /// The trunk that tried last, until one carries the call (O-044).
    fn tried(&mut self, trunk: &str) {
        if self.direction == Direction::Outbound && self.answered_at.is_none() {
            self.trunk = Some(trunk.to_owned());
        }
    }

    fn close(
        self,
        position: Position,
        id: CallId,
        ended_at: Timestamp,
        outcome: &str,
        cause: &str,
        (talk, hold): (Duration, Duration),
    ) -> CallRecord {
        let (requested_by, correlation_id) =
            self.requested.map_or((None, None), |(by, id)| (Some(by), id));
        CallRecord {
            id,
            position,
            direction: self.direction,
            from: self.from,
            to: self.to,
            trunk: self.trunk,
            started_at: self.started_at,
            answered_at: self.answered_at,
            ended_at,
            outcome: outcome.to_owned(),
            cause: cause.to_owned(),
            answered_by: self.answered_by,
            queue: self.queue,
            steps: self.steps,
            talk,
            hold,
            outgoing: self.outgoing,
            requested_by,
            correlation_id,
            callback: self.callback,
            rating: self.rating,
        }
    }

    /// The fact that closes a call which a crash of the node cut off.
    #[must_use]
    pub fn interrupted(&self, now: Timestamp) -> CallEvent {
        CallEvent::Ended {
            at: now,
            outcome: if self.answered_at.is_some() { "answered" } else { "interrupted" }.into(),
            cause: "the node was restarted".into(),
            talk_us: self
                .answered_at
                .map_or(0, |at| u64::try_from(now.since(at).as_micros()).unwrap_or(0)),
            hold_us: 0,
        }
    }
}
