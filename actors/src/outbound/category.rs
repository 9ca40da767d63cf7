//! What a channel category says about a call: its flow first, then its plain route (O-041). A flow
//! is read at once, so that it can neither crash nor take too long.

use tandem_config::resource::{
    ChannelCategory, DialAction, DialConditions, OutboundCode, OutboundRoute,
};
use tandem_kernel::Timestamp;

use crate::provisioning::Directory;

/// What a category says.
#[derive(Clone, Debug, PartialEq)]
pub enum Way<'a> {
    /// Over a route.
    Over {
        /// The route.
        route: &'a OutboundRoute,
        /// What is put in front of the number.
        prepend: &'a str,
        /// The caller ID that the flow gives; empty: as without a flow.
        caller_id: &'a str,
    },
    /// The flow rejects the call, for this reason.
    Rejected(&'a str),
    /// No route that can be used (O-036).
    Unrouted,
}

/// The way of a code's call.
#[must_use]
pub fn way<'a>(
    directory: &'a Directory,
    code: &OutboundCode,
    extension: Option<&str>,
    number: &str,
    now: Timestamp,
) -> Way<'a> {
    let Some(category) = directory.channel_category(&code.category) else { return Way::Unrouted };
    let step = category.flow.iter().find(|step| holds(&step.when, extension, number, now));
    let plain = category.route.as_deref().map(|route| (route, "", ""));
    let wanted = match step.map(|step| &step.action) {
        Some(DialAction::Reject { reason }) => return Way::Rejected(reason),
        Some(DialAction::Dial { route, prepend, caller_id }) => {
            Some((route.as_str(), prepend.as_str(), caller_id.as_str()))
        }
        None => plain,
    };
    let usable = |name: &str| directory.outbound_route(name).filter(|it| works(directory, it));
    match wanted.and_then(|(route, prepend, shown)| Some((usable(route)?, prepend, shown))) {
        Some((route, prepend, caller_id)) => Way::Over { route, prepend, caller_id },
        None => Way::Unrouted,
    }
}

/// The routes to which a category can lead.
pub fn routes<'a>(
    directory: &'a Directory,
    category: &'a ChannelCategory,
) -> impl Iterator<Item = &'a OutboundRoute> {
    let of_flow = category.flow.iter().filter_map(|step| match &step.action {
        DialAction::Dial { route, .. } => Some(route),
        DialAction::Reject { .. } => None,
    });
    of_flow.chain(&category.route).filter_map(|name| directory.outbound_route(name))
}

/// Whether a route is switched on and has a trunk that is.
#[must_use]
pub fn works(directory: &Directory, route: &OutboundRoute) -> bool {
    let is_on = |name: &String| directory.trunk(name).is_some_and(|trunk| trunk.enabled);
    route.enabled && route.trunks.iter().any(is_on)
}

fn holds(when: &DialConditions, extension: Option<&str>, number: &str, now: Timestamp) -> bool {
    let micros = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
    let is_by = |who: &str| when.extensions.iter().any(|it| it == who);
    when.hours.as_ref().is_none_or(|hours| hours.hold_at(at))
        && (when.extensions.is_empty() || extension.is_some_and(is_by))
        && (when.number.is_empty() || when.number.iter().any(|it| it.matches(number)))
}
