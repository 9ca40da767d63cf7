//! When an agent was logged in and paused, out of the agent's facts.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_config::resource::Membership;
use tandem_kernel::Timestamp;

use crate::agent::AgentEvent;

/// From a log-in to the log-out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSpan {
    /// The queue.
    pub queue: String,
    /// Since when.
    pub from: Timestamp,
    /// Until when; none: still.
    pub until: Option<Timestamp>,
}

/// How a pause segment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseEnd {
    /// By a resume, a log-out or the end of the membership.
    Over,
    /// Another reason began: no pause of its own.
    ReasonChanged,
}

/// From the beginning of a pause, or of its reason, to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PauseSpan {
    /// The queue.
    pub queue: String,
    /// Reason code.
    pub reason: Option<String>,
    /// Since when.
    pub from: Timestamp,
    /// Until when, and how it ended; none: it goes on.
    pub until: Option<(Timestamp, PauseEnd)>,
}

impl PauseSpan {
    /// What it counts for in the number of pauses.
    #[must_use]
    pub fn count(&self) -> u64 {
        u64::from(!matches!(self.until, Some((_, PauseEnd::ReasonChanged))))
    }

    /// How long it was, or has been.
    #[must_use]
    pub fn length(&self, now: Timestamp) -> Duration {
        self.until.map_or(now, |(until, _)| until).since(self.from)
    }
}

impl LoginSpan {
    /// How long it was, or has been.
    #[must_use]
    pub fn length(&self, now: Timestamp) -> Duration {
        self.until.unwrap_or(now).since(self.from)
    }
}

/// The spans of one agent, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// Log-ins of a dynamic agent; static ones never log in.
    pub logins: Vec<LoginSpan>,
    /// Pause segments.
    pub pauses: Vec<PauseSpan>,
    /// The open ones, by queue.
    logged_in: BTreeMap<String, usize>,
    paused: BTreeMap<String, usize>,
}

impl Spans {
    /// The spans that an agent's facts tell of.
    #[must_use]
    pub fn of<'a>(facts: impl IntoIterator<Item = &'a AgentEvent>) -> Self {
        let mut spans = Self::default();
        for fact in facts {
            spans.take(fact);
        }
        spans
    }

    /// Takes a fact in.
    pub fn take(&mut self, fact: &AgentEvent) {
        let at = fact.at();
        match fact {
            AgentEvent::Added { queue, membership, logged_in, .. } => {
                self.leave(queue, at);
                if *membership == Membership::Dynamic && *logged_in {
                    self.log_in(queue, at);
                }
            }
            AgentEvent::Removed { queue, .. } => self.leave(queue, at),
            AgentEvent::LoggedIn { queues, .. } => {
                queues.iter().for_each(|queue| self.log_in(queue, at));
            }
            AgentEvent::LoggedOut { queues, .. } => {
                queues.iter().for_each(|queue| self.leave(queue, at));
            }
            AgentEvent::Paused { queues, reason, .. }
            | AgentEvent::ReasonChanged { queues, reason, .. } => {
                queues.iter().for_each(|queue| self.pause(queue, reason.as_ref(), at));
            }
            AgentEvent::Resumed { queues, .. } => {
                queues.iter().for_each(|queue| self.end_pause(queue, at, PauseEnd::Over));
            }
            AgentEvent::WrapUpStarted { .. }
            | AgentEvent::WrapUpEnded { .. }
            | AgentEvent::AutoPaused { .. } => {}
        }
    }

    fn log_in(&mut self, queue: &str, from: Timestamp) {
        if self.logged_in.contains_key(queue) {
            return;
        }
        self.logged_in.insert(queue.to_owned(), self.logins.len());
        self.logins.push(LoginSpan { queue: queue.to_owned(), from, until: None });
    }

    fn leave(&mut self, queue: &str, at: Timestamp) {
        if let Some(span) = self.logged_in.remove(queue).and_then(|it| self.logins.get_mut(it)) {
            span.until = Some(at);
        }
        self.end_pause(queue, at, PauseEnd::Over);
    }

    fn pause(&mut self, queue: &str, reason: Option<&String>, from: Timestamp) {
        self.end_pause(queue, from, PauseEnd::ReasonChanged);
        self.paused.insert(queue.to_owned(), self.pauses.len());
        let (queue, reason) = (queue.to_owned(), reason.cloned());
        self.pauses.push(PauseSpan { queue, reason, from, until: None });
    }

    fn end_pause(&mut self, queue: &str, at: Timestamp, end: PauseEnd) {
        if let Some(span) = self.paused.remove(queue).and_then(|it| self.pauses.get_mut(it)) {
            span.until = Some((at, end));
        }
    }

    /// How long the agent was logged in, over all queues and spans.
    #[must_use]
    pub fn login_total(&self, now: Timestamp) -> Duration {
        self.logins.iter().map(|span| span.length(now)).sum()
    }

    /// How long the agent was paused, and how often.
    #[must_use]
    pub fn pause_total(&self, now: Timestamp) -> (Duration, u64) {
        let lengths = self.pauses.iter().map(|span| span.length(now)).sum();
        (lengths, self.pauses.iter().map(PauseSpan::count).sum())
    }
}
