//! The presence status of extensions, and what a change of it does to the agent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_kernel::Timestamp;
use tandem_store::{Batch, Store, StoreError, Table};

use crate::agent::{Command, Scope};
use crate::entity;

const STATUSES: Table = Table::new(7, "presence-statuses");

/// What somebody is doing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Status {
    /// At work.
    #[default]
    Available,
    /// Not there.
    Away,
    /// On a business trip.
    BusinessTrip,
    /// Not to be disturbed.
    DoNotDisturb,
    /// At lunch.
    LunchBreak,
    /// Off work.
    OffWork,
}

/// What a status does to the agent when it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Nothing.
    #[default]
    Nothing,
    /// Logs in to all queues; static agents are resumed.
    LogIn,
    /// Logs in to the queues of the last log-in.
    LogInLast,
    /// Logs out of all queues.
    LogOut,
    /// Pauses in all queues, perhaps for a reason.
    Pause(Option<String>),
}

impl Action {
    /// What the agent is asked for.
    #[must_use]
    pub fn command(&self) -> Option<Command> {
        match self {
            Self::Nothing => None,
            Self::LogIn => Some(Command::LogIn(Scope::All)),
            Self::LogInLast => Some(Command::LogInLast),
            Self::LogOut => Some(Command::LogOut(Scope::All)),
            Self::Pause(reason) => Some(Command::Pause(Scope::All, reason.clone())),
        }
    }
}

/// What each status does; one that is not there does nothing.
pub type Actions = BTreeMap<Status, Action>;

/// A fact about the presence of an extension. Append-only; see `event.rs` of the crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PresenceEvent {
    /// Does something else now.
    StatusSet {
        /// When.
        at: Timestamp,
        /// Who set it.
        by: String,
        /// What.
        status: Status,
    },
    /// The user wants other actions.
    ActionsSet {
        /// When.
        at: Timestamp,
        /// Who set them.
        by: String,
        /// By status.
        actions: Actions,
    },
}

impl PresenceEvent {
    /// The name in the event stream.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::StatusSet { .. } => "presence.changed",
            Self::ActionsSet { .. } => "presence.actions_changed",
        }
    }
}

/// The presence of an extension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// How many facts there are of it.
    pub version: u64,
    /// What its user is doing.
    pub status: Status,
    /// Since when; none: always.
    pub since: Option<Timestamp>,
    /// What a change does.
    pub actions: Actions,
}

impl Presence {
    /// What a change to a status asks of the agent; none where it is the status already.
    #[must_use]
    pub fn on_change(&self, to: Status) -> Option<Command> {
        let action = self.actions.get(&to).filter(|_| to != self.status);
        action.and_then(Action::command)
    }

    /// Takes a fact in; one that was taken in already changes nothing.
    #[must_use]
    pub(super) fn taken(mut self, version: u64, event: PresenceEvent) -> Self {
        if version <= self.version {
            return self;
        }
        self.version = version;
        match event {
            PresenceEvent::StatusSet { at, status, .. } => {
                (self.status, self.since) = (status, Some(at));
            }
            PresenceEvent::ActionsSet { actions, .. } => self.actions = actions,
        }
        self
    }
}

pub(super) fn read(store: &Store, extension: &str) -> Result<Presence, StoreError> {
    let found = store.get(STATUSES, extension.as_bytes())?;
    Ok(found.and_then(|bytes| entity::decode(&bytes).ok()).unwrap_or_default())
}

pub(super) fn keep(store: &Store, extension: &str, presence: &Presence) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    batch.put(STATUSES, extension.as_bytes(), &entity::encode(presence));
    store.apply(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presence(status: Status, actions: &[(Status, Action)]) -> Presence {
        let actions = actions.iter().cloned().collect();
        Presence { status, actions, ..Presence::default() }
    }

    #[test]
    fn q_231_an_action_fires_when_the_status_begins_and_not_while_it_stays() {
        let rules = [(Status::LunchBreak, Action::Pause(Some("*01".into())))];
        let paused = Some(Command::Pause(Scope::All, Some("*01".into())));

        assert_eq!(presence(Status::Available, &rules).on_change(Status::LunchBreak), paused);
        assert_eq!(presence(Status::LunchBreak, &rules).on_change(Status::LunchBreak), None);
    }

    #[test]
    fn q_232_q_234_five_actions_of_which_nothing_is_the_default() {
        let rows = [
            (Action::LogIn, Some(Command::LogIn(Scope::All))),
            (Action::LogInLast, Some(Command::LogInLast)),
            (Action::LogOut, Some(Command::LogOut(Scope::All))),
            (Action::Pause(None), Some(Command::Pause(Scope::All, None))),
            (Action::Nothing, None),
        ];
        for (action, wanted) in rows {
            let rules = [(Status::Away, action.clone())];
            let asked = presence(Status::Available, &rules).on_change(Status::Away);
            assert_eq!(asked, wanted, "{action:?}");
        }
        assert_eq!(presence(Status::Available, &[]).on_change(Status::OffWork), None);
    }

    #[test]
    fn a_fact_that_is_read_again_changes_nothing() {
        let at = Timestamp::from_secs(5);
        let set = |status| PresenceEvent::StatusSet { at, by: "user:chen".into(), status };
        let once = Presence::default().taken(1, set(Status::Away)).taken(2, set(Status::OffWork));

        assert_eq!(once.clone().taken(1, set(Status::Away)), once);
        assert_eq!(once.status, Status::OffWork);
    }

    /// What is on disk stays readable.
    #[test]
    fn the_bytes_of_presence_facts_do_not_change() {
        let (at, by) = (Timestamp::from_secs(1_005), "user:chen".to_owned());
        let actions = [(Status::LunchBreak, Action::Pause(Some("*01".into())))].into();
        let events = [
            PresenceEvent::StatusSet { at, by: by.clone(), status: Status::OffWork },
            PresenceEvent::ActionsSet { at, by, actions },
        ];
        let hex = |event: &PresenceEvent| -> String {
            entity::encode(event).iter().map(|byte| format!("{byte:02x}")).collect()
        };
        assert_eq!(events.each_ref().map(hex), GOLDEN);
    }

    const GOLDEN: [&str; 2] = [
        "010000fc4015e73b09757365723a6368656e05",
        "010001fc4015e73b09757365723a6368656e01040401032a3031",
    ];
}
