//! The open sessions as a fold over their events.

use std::collections::HashMap;

use tandem_config::resource::{Role, User};
use tandem_kernel::Timestamp;

use super::event::SessionEvent;
use super::{ADMIN_IDLE, LIFE, MOST, NOTED, SessionKey, mark_of};
use crate::office::Principal;
use crate::provisioning::Directory;

#[derive(Debug)]
struct Open {
    user: String,
    password: [u8; 32],
    opened: Timestamp,
    used: Timestamp,
    /// The last use that the journal knows of.
    noted: Timestamp,
}

/// What a bearer's session is worth now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// Nothing: there is none.
    Unknown,
    /// Nothing any more.
    Expired,
    /// It stands for somebody. `note`: the journal should know that it was used.
    Good { principal: Principal, note: bool },
}

/// The open sessions.
#[derive(Debug, Default)]
pub(super) struct Table(HashMap<SessionKey, Open>);

impl Table {
    /// Takes an event in.
    pub(super) fn evolve(&mut self, at: Timestamp, key: &SessionKey, event: &SessionEvent) {
        match event {
            SessionEvent::Opened { user, password, .. } => {
                self.make_room();
                let (user, password) = (user.clone(), *password);
                self.0.insert(*key, Open { user, password, opened: at, used: at, noted: at });
            }
            SessionEvent::Used => {
                if let Some(open) = self.0.get_mut(key) {
                    (open.used, open.noted) = (open.used.max(at), open.noted.max(at));
                }
            }
            SessionEvent::Closed { .. } | SessionEvent::Expired => {
                self.0.remove(key);
            }
        }
    }

    /// The session that was quiet longest ends for a new one.
    fn make_room(&mut self) {
        if self.0.len() < MOST {
            return;
        }
        let quiet = self.0.iter().min_by_key(|(_, open)| open.used).map(|(key, _)| *key);
        quiet.map(|key| self.0.remove(&key));
    }

    /// Uses a session, which keeps it open.
    pub(super) fn use_one(
        &mut self,
        now: Timestamp,
        directory: &Directory,
        key: &SessionKey,
    ) -> Worth {
        let Some(open) = self.0.get_mut(key) else { return Worth::Unknown };
        let user = directory.user(&open.user).filter(|user| open.holds(now, user));
        let Some(user) = user else {
            self.0.remove(key);
            return Worth::Expired;
        };
        open.used = now;
        // The journal has to know of a use only where quiet ends a session.
        let note = idle(user.role) < LIFE && now.since(open.noted) >= NOTED;
        if note {
            open.noted = now;
        }
        let principal = Principal {
            name: format!("user:{}", user.name),
            role: user.role,
            extension: user.extension.clone(),
        };
        Worth::Good { principal, note }
    }

    /// The user of a session.
    pub(super) fn user(&self, key: &SessionKey) -> Option<String> {
        self.0.get(key).map(|open| open.user.clone())
    }
}

impl Open {
    fn holds(&self, now: Timestamp, user: &User) -> bool {
        !user.disabled
            && self.password == mark_of(user)
            && now.since(self.opened) < LIFE
            && now.since(self.used) < idle(user.role)
    }
}

fn idle(role: Role) -> std::time::Duration {
    if role == Role::Admin { ADMIN_IDLE } else { LIFE }
}
