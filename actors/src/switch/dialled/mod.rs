//! Which number a request calls.

use tandem_config::resource::{Trunk, TrunkAuth, TrunkMode};
use tandem_sip::message::{Message, Name};
use tandem_sip::value::{NameAddr, Uri};

use super::Caller;
use crate::provisioning::Directory;

/// The number that an INVITE calls; none where its request URI names nobody.
pub(super) fn number(directory: &Directory, invite: &Message, caller: &Caller) -> Option<String> {
    let asked = asked(invite.uri()?)?;
    let Caller::Trunk(trunk) = caller else { return Some(asked) };
    if !is_account(trunk, &asked) || (is_number(&asked) && is_routed(directory, &asked)) {
        return Some(asked);
    }
    Some(named_in_to(invite).unwrap_or(asked))
}

/// The user of the request URI.
fn asked(uri: &str) -> Option<String> {
    let uri = Uri::parse(uri).ok()?;
    if !uri.is_sip() && uri.host.is_empty() && uri.user.is_none() {
        return None;
    }
    Some(uri.user_text().unwrap_or_default())
}

/// A registrar puts the Contact that we registered in place of what was dialled (RFC 3261 16.5),
/// and To keeps it (8.1.1.2).
fn is_account(trunk: &Trunk, user: &str) -> bool {
    let is_ours = |auth: &TrunkAuth| auth.username == user;
    trunk.mode == TrunkMode::Register && trunk.auth.as_ref().is_some_and(is_ours)
}

fn is_number(user: &str) -> bool {
    user.strip_prefix('+').unwrap_or(user).bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the house knows a number of the outside as its own.
fn is_routed(directory: &Directory, number: &str) -> bool {
    let mut routes = directory.inbound_routes().filter(|route| route.enabled);
    routes.any(|route| route.did.iter().any(|did| did.matches(number)))
}

fn named_in_to(invite: &Message) -> Option<String> {
    let to = NameAddr::parse(invite.header(Name::To)?).ok()?;
    to.uri.user_text().filter(|user| !user.is_empty())
}

#[cfg(test)]
mod tests;
