//! What lamps show of calls and mailboxes, kept for all extensions and told when it is watched.
//!
//! Calls write here as they go, whether anybody watches or not: a subscription that comes in
//! the middle of a call shows it. The lock is held while a change is sent, so that the order of
//! changes stays.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use parking_lot::Mutex;
use ractor::ActorRef;
use tandem_kernel::{CallId, ask};

use super::actor::PresenceMsg;
use super::watched::{Mail, State, Talk, Watched};
use crate::call::machine::LegIndex;

#[derive(Default)]
struct Inner {
    talks: HashMap<String, BTreeMap<(CallId, LegIndex), Talk>>,
    mail: HashMap<String, Mail>,
    watched: HashSet<Watched>,
    to: Option<ActorRef<PresenceMsg>>,
}

/// The lamps of one node.
#[derive(Default)]
pub struct Lamps {
    inner: Mutex<Inner>,
}

impl Lamps {
    /// How a leg of an extension stands; none when it is gone.
    pub fn talk(&self, extension: &str, call: CallId, leg: LegIndex, talk: Option<Talk>) {
        let mut inner = self.inner.lock();
        match talk {
            Some(talk) => {
                let talks = inner.talks.entry(extension.to_owned()).or_default();
                talks.insert((call, leg), talk);
            }
            None => {
                let Some(talks) = inner.talks.get_mut(extension) else { return };
                talks.remove(&(call, leg));
                if talks.is_empty() {
                    inner.talks.remove(extension);
                }
            }
        }
        inner.tell(Watched::Calls { extension: extension.to_owned() });
    }

    /// What waits in the mailbox of an extension now: told at the start and at each change by
    /// whoever keeps the messages.
    pub fn mail(&self, extension: &str, mail: Mail) {
        let mut inner = self.inner.lock();
        inner.mail.insert(extension.to_owned(), mail);
        inner.tell(Watched::Mailbox { extension: extension.to_owned() });
    }

    /// The node ends: waits until the subscribers were told so, a second at most.
    pub async fn drain(&self) {
        let to = self.inner.lock().to.clone();
        let Some(to) = to else { return };
        let told = ask(&to, Duration::from_secs(1), PresenceMsg::Drain).await;
        if let Err(error) = told {
            tracing::warn!(%error, "subscribers were not told that the node ends");
        }
    }

    /// Whom changes are told to from now on; nothing is watched yet.
    pub(super) fn begin(&self, to: ActorRef<PresenceMsg>) {
        let mut inner = self.inner.lock();
        inner.watched.clear();
        inner.to = Some(to);
    }

    /// The state of something now; its changes are told from here on.
    pub(super) fn watch(&self, watched: &Watched) -> Option<State> {
        let mut inner = self.inner.lock();
        inner.watched.insert(watched.clone());
        inner.state(watched)
    }

    /// Nobody watches it any more.
    pub(super) fn unwatch(&self, watched: &Watched) {
        self.inner.lock().watched.remove(watched);
    }
}

impl Inner {
    fn state(&self, watched: &Watched) -> Option<State> {
        match watched {
            Watched::Calls { extension } => {
                let talks = self.talks.get(extension).into_iter().flatten();
                Some(State::Calls(talks.map(|(leg, talk)| (*leg, talk.clone())).collect()))
            }
            Watched::Mailbox { extension } => {
                Some(State::Mail(self.mail.get(extension).copied().unwrap_or_default()))
            }
            Watched::Login { .. } | Watched::Pause { .. } => None,
        }
    }

    fn tell(&self, watched: Watched) {
        if !self.watched.contains(&watched) {
            return;
        }
        if let (Some(to), Some(state)) = (&self.to, self.state(&watched)) {
            // An actor that is being started anew asks for the state by itself.
            let _gone = to.cast(PresenceMsg::Changed(watched, state));
        }
    }
}
