//! What an agent, or a manager for them, can ask for, as a decision over the facts.

use serde::{Deserialize, Serialize};
use tandem_config::resource::{Membership, Settings};
use tandem_kernel::Timestamp;

use super::event::{AgentEvent, Source};
use super::facts::{Facts, Seat};
use crate::office::{AgentCommand, Refusal};

/// One queue or all of the agent's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// This one.
    Queue(String),
    /// All.
    All,
}

impl From<Option<String>> for Scope {
    fn from(queue: Option<String>) -> Self {
        queue.map_or(Self::All, Self::Queue)
    }
}

/// A change of state. All but the toggles are idempotent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Log in. For all queues it resumes static agents.
    LogIn(Scope),
    /// Log in to the queues of before the last log-out.
    LogInLast,
    /// Log out.
    LogOut(Scope),
    /// Pause, or change the reason.
    Pause(Scope, Option<String>),
    /// End pauses and rests.
    Resume(Scope),
    /// Log in or out.
    ToggleLogin(String),
    /// Pause, change the reason, or resume.
    TogglePause(String, Option<String>),
}

impl From<AgentCommand> for Command {
    fn from(command: AgentCommand) -> Self {
        match command {
            AgentCommand::LogIn { queue } => Self::LogIn(queue.into()),
            AgentCommand::LogOut { queue } => Self::LogOut(queue.into()),
            AgentCommand::Pause { queue, reason } => Self::Pause(queue.into(), reason),
            AgentCommand::Resume { queue } => Self::Resume(queue.into()),
        }
    }
}

/// How the agent stands after a command, for the prompt that confirms it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Logged in.
    LoggedIn,
    /// Logged out.
    LoggedOut,
    /// Paused.
    Paused,
    /// Takes calls again.
    Resumed,
}

impl Outcome {
    /// The name of the prompt in the library.
    #[must_use]
    pub const fn prompt(self) -> &'static str {
        match self {
            Self::LoggedIn => "logged-in",
            Self::LoggedOut => "logged-out",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
        }
    }
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Refused {
    /// Not a member of that queue, or of any.
    #[error("not an agent of queue {0}")]
    NotAMember(String),
    /// Static agents are always logged in.
    #[error("a static agent can not log out")]
    Static,
    /// Only who is logged in can pause.
    #[error("not logged in")]
    LoggedOut,
    /// Not in the list of reasons.
    #[error("there is no pause reason {0}")]
    UnknownReason(String),
}

/// Why a command was not carried out, as another member hears it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failed {
    /// It does not fit.
    Refused(Refused),
    /// It was not kept, or not in time.
    NotDone(String),
}

impl From<Failed> for Refusal {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(refused) => refused.into(),
            Failed::NotDone(detail) => Self::Unavailable { detail },
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let code = match &refused {
            Refused::NotAMember(queue) => {
                return Self::NotFound { kind: "membership", key: queue.clone() };
            }
            Refused::Static => "agent-not-dynamic",
            Refused::LoggedOut => "agent-logged-out",
            Refused::UnknownReason(_) => "unknown-pause-reason",
        };
        Self::Conflict { code, detail: refused.to_string() }
    }
}

/// The facts that a command makes, and how the agent stands then.
///
/// # Errors
/// When the command does not fit the agent's state.
pub(super) fn decide(
    facts: &Facts,
    settings: &Settings,
    at: Timestamp,
    source: Source,
    command: Command,
) -> Result<(Vec<AgentEvent>, Outcome), Refused> {
    let asked = Asked { facts, settings, at, source };
    match command {
        Command::LogIn(scope) => asked.log_in(&scope),
        Command::LogInLast => asked.log_in_last(),
        Command::LogOut(scope) => asked.log_out(&scope),
        Command::Pause(scope, reason) => asked.pause(&scope, reason),
        Command::Resume(scope) => asked.resume(&scope),
        Command::ToggleLogin(queue) => {
            let seat = asked.seat(&queue)?;
            match (seat.membership, seat.logged_in) {
                (Membership::Static, _) => Err(Refused::Static),
                (Membership::Dynamic, Some(_)) => asked.log_out(&Scope::Queue(queue)),
                (Membership::Dynamic, None) => asked.log_in(&Scope::Queue(queue)),
            }
        }
        Command::TogglePause(queue, reason) => {
            let paused = asked.seat(&queue)?.pause.as_ref();
            let same = paused.is_some_and(|pause| reason.is_none() || pause.reason == reason);
            let scope = Scope::Queue(queue);
            if same { asked.resume(&scope) } else { asked.pause(&scope, reason) }
        }
    }
}

struct Asked<'a> {
    facts: &'a Facts,
    settings: &'a Settings,
    at: Timestamp,
    source: Source,
}

type Decided = Result<(Vec<AgentEvent>, Outcome), Refused>;

impl<'a> Asked<'a> {
    fn seat(&self, queue: &str) -> Result<&'a Seat, Refused> {
        self.facts.seats.get(queue).ok_or_else(|| Refused::NotAMember(queue.to_owned()))
    }

    /// The seats of a scope; at least one.
    fn seats(&self, scope: &Scope) -> Result<Vec<(&'a String, &'a Seat)>, Refused> {
        let all = self.facts.seats.iter();
        let seats: Vec<_> = match scope {
            Scope::All => all.collect(),
            Scope::Queue(queue) => all.filter(|(key, _)| *key == queue).collect(),
        };
        if seats.is_empty() {
            let queue = match scope {
                Scope::All => String::new(),
                Scope::Queue(queue) => queue.clone(),
            };
            return Err(Refused::NotAMember(queue));
        }
        Ok(seats)
    }

    fn log_in(&self, scope: &Scope) -> Decided {
        let seats = self.seats(scope)?;
        let out = named(&seats, |seat| seat.logged_in.is_none());
        let mut events = Vec::new();
        if !out.is_empty() {
            events.push(AgentEvent::LoggedIn { at: self.at, queues: out, source: self.source });
        }
        if *scope == Scope::All {
            events.extend(self.resumed(&seats, |seat| seat.membership == Membership::Static));
        }
        Ok((events, Outcome::LoggedIn))
    }

    fn log_in_last(&self) -> Decided {
        let seats = self.seats(&Scope::All)?;
        let last = &self.facts.last_queues;
        let out =
            seats.iter().filter(|(queue, seat)| seat.logged_in.is_none() && last.contains(*queue));
        let queues: Vec<String> = out.map(|(queue, _)| (*queue).clone()).collect();
        let mut events = Vec::new();
        if !queues.is_empty() {
            events.push(AgentEvent::LoggedIn { at: self.at, queues, source: self.source });
        }
        events.extend(self.resumed(&seats, |seat| seat.membership == Membership::Static));
        Ok((events, Outcome::LoggedIn))
    }

    fn log_out(&self, scope: &Scope) -> Decided {
        let seats = self.seats(scope)?;
        if seats.iter().all(|(_, seat)| seat.membership == Membership::Static) {
            return Err(Refused::Static);
        }
        let queues = named(&seats, |seat| {
            seat.membership == Membership::Dynamic && seat.logged_in.is_some()
        });
        let mut events = Vec::new();
        if !queues.is_empty() {
            events.push(AgentEvent::LoggedOut { at: self.at, queues, source: self.source });
        }
        Ok((events, Outcome::LoggedOut))
    }

    fn pause(&self, scope: &Scope, reason: Option<String>) -> Decided {
        let seats = self.seats(scope)?;
        if let Some(reason) = &reason
            && !self.settings.pause_reasons.contains_key(reason)
        {
            return Err(Refused::UnknownReason(reason.clone()));
        }
        if seats.iter().all(|(_, seat)| seat.logged_in.is_none()) {
            return Err(Refused::LoggedOut);
        }
        let (at, source) = (self.at, self.source);
        let fresh = named(&seats, |seat| seat.logged_in.is_some() && seat.pause.is_none());
        let other =
            named(&seats, |seat| seat.pause.as_ref().is_some_and(|pause| pause.reason != reason));
        let mut events = Vec::new();
        if !fresh.is_empty() {
            let reason = reason.clone();
            events.push(AgentEvent::Paused { at, queues: fresh, reason, source });
        }
        if !other.is_empty() {
            events.push(AgentEvent::ReasonChanged { at, queues: other, reason, source });
        }
        Ok((events, Outcome::Paused))
    }

    fn resume(&self, scope: &Scope) -> Decided {
        let seats = self.seats(scope)?;
        let mut events: Vec<_> = self.resumed(&seats, |_| true).into_iter().collect();
        let resting = seats.iter().filter(|(_, seat)| seat.rest.is_some());
        events.extend(
            resting
                .map(|(queue, _)| AgentEvent::WrapUpEnded { at: self.at, queue: (*queue).clone() }),
        );
        Ok((events, Outcome::Resumed))
    }

    fn resumed(
        &self,
        seats: &[(&String, &Seat)],
        which: impl Fn(&Seat) -> bool,
    ) -> Option<AgentEvent> {
        let queues = named(seats, |seat| seat.pause.is_some() && which(seat));
        let (at, source) = (self.at, self.source);
        (!queues.is_empty()).then_some(AgentEvent::Resumed { at, queues, source })
    }
}

fn named(seats: &[(&String, &Seat)], which: impl Fn(&Seat) -> bool) -> Vec<String> {
    let found = seats.iter().filter(|(_, seat)| which(seat));
    found.map(|(queue, _)| (*queue).clone()).collect()
}
