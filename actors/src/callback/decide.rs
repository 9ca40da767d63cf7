//! Whether a call that comes in is a callback, and whose.

use std::time::Duration;

use tandem_config::resource::{
    CallbackMode, CallbackPolicy, CallbackTarget, DidScope, InboundRoute, Settings,
};
use tandem_kernel::Timestamp;

use super::Entry;
use crate::outbound::lines::is_open;
use crate::outbound::numbers::e164;
use crate::provisioning::Directory;

/// A call that comes in.
#[derive(Clone, Copy, Debug)]
pub struct Inbound<'a> {
    /// The trunk.
    pub trunk: &'a str,
    /// What was dialled.
    pub did: &'a str,
    /// When it arrived.
    pub now: Timestamp,
}

/// A callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The agent's extension.
    pub agent: String,
    /// Mode one: nobody else may take it.
    pub is_agent_only: bool,
    /// The call that is being returned.
    pub entry: Entry,
}

/// Whether callbacks are looked for on this inbound route (C-003, C-034, C-045).
#[must_use]
pub fn applies(settings: &Settings, route: Option<&InboundRoute>, now: Timestamp) -> bool {
    let policy = &settings.callback;
    let own = route.and_then(|route| route.callback);
    let offset = settings.outbound.utc_offset_minutes;
    own.unwrap_or(policy.enabled) && is_open(&policy.hours, offset, now)
}

/// Whose callback a call is, given the last call to the caller's number (C-005, C-016, C-018).
#[must_use]
pub fn decide(directory: &Directory, inbound: &Inbound<'_>, last: Option<Entry>) -> Option<Match> {
    let policy = &directory.settings().callback;
    let entry = last?;
    let window = Duration::from_secs(u64::from(policy.window_hours) * 3_600);
    if inbound.now.since(entry.at) > window || !is_in_scope(directory, policy, inbound, &entry) {
        return None;
    }
    let talked = match policy.target {
        CallbackTarget::PlacedBy => None,
        CallbackTarget::LastTalked => entry.talked.as_ref(),
    };
    let agent = talked.unwrap_or(&entry.placed_by).clone();
    Some(Match { agent, is_agent_only: policy.mode == CallbackMode::AgentOnly, entry })
}

fn is_in_scope(
    directory: &Directory,
    policy: &CallbackPolicy,
    inbound: &Inbound<'_>,
    entry: &Entry,
) -> bool {
    let form = |number: &str| e164(&directory.settings().outbound, number);
    let is_same = |number: &str| form(number).is_some_and(|it| form(inbound.did) == Some(it));
    match policy.did_scope {
        DidScope::Any => true,
        // Where the trunk shows its own number, any number of that trunk is it.
        DidScope::SameNumber if entry.shown.is_empty() => entry.trunk == inbound.trunk,
        DidScope::SameNumber => is_same(&entry.shown),
        DidScope::SameCategory => {
            let category = entry.category.as_deref().and_then(|it| directory.channel_category(it));
            is_same(&entry.shown)
                || category.is_some_and(|it| it.numbers.iter().any(|number| is_same(number)))
        }
    }
}
