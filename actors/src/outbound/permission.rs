//! Who may not go out with a prefix, before there is a number.

use tandem_config::resource::{OutboundCode, OutboundRoute};

use super::choose::may_use;
use crate::provisioning::Directory;

/// Whether anything leads out for numbers with a prefix, and who may not go there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach<'a> {
    /// No route takes such a number.
    NoRoute,
    /// These of the asked extensions may use none of the routes that do.
    Barred(Vec<&'a str>),
}

/// How far extensions reach with a prefix that stands before numbers not yet known; empty: with
/// numbers of any kind. The digits of an outbound code count as when they are typed.
#[must_use]
pub fn reach<'a>(
    directory: &Directory,
    prefix: &str,
    extensions: impl Iterator<Item = &'a str>,
) -> Reach<'a> {
    if let Some(code) = code_of(directory, prefix) {
        return Reach::Barred(extensions.filter(|it| !may_use(directory, code, it)).collect());
    }
    let taking: Vec<&OutboundRoute> = directory
        .outbound_routes()
        .filter(|route| route.enabled && !route.codes_only && takes(route, prefix))
        .collect();
    if taking.is_empty() {
        return Reach::NoRoute;
    }
    let is_barred = |number: &&str| !taking.iter().any(|route| is_open_to(route, number));
    Reach::Barred(extensions.filter(is_barred).collect())
}

/// The code that a prefix begins with (O-023).
fn code_of<'a>(directory: &'a Directory, prefix: &str) -> Option<&'a OutboundCode> {
    if !directory.settings().outbound.codes_enabled {
        return None;
    }
    let codes = directory.outbound_codes().filter(|code| code.enabled);
    let typed = codes.filter(|code| prefix.starts_with(code.code.as_str()));
    typed.max_by_key(|code| code.code.len())
}

/// Whether a route takes a number that begins with the prefix.
fn takes(route: &OutboundRoute, prefix: &str) -> bool {
    route.rules.iter().any(|rule| match prefix.strip_prefix(rule.prefix.as_str()) {
        Some(rest) => rule.pattern.may_begin(rest),
        None => rule.prefix.starts_with(prefix),
    })
}

fn is_open_to(route: &OutboundRoute, number: &str) -> bool {
    let called = route.callers.is_empty() || route.callers.iter().any(|it| it.matches(number));
    called && (route.extensions.is_empty() || route.extensions.iter().any(|it| it == number))
}
