//! Whether a code works, for the panel and the API (O-036, O-038).

use tandem_config::resource::OutboundCode;

use super::category::{routes, works};
use crate::provisioning::Directory;

/// The state of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeState {
    /// Calls go out by its own line.
    Ready,
    /// Its category has no route, or one that is switched off.
    NoRoute,
    /// Its route has no trunk that is switched on.
    NoTrunk,
    /// None of its trunks answers.
    TrunkDown,
    /// Switched off.
    Disabled,
}

impl CodeState {
    /// As clients know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NoRoute => "no_route",
            Self::NoTrunk => "no_trunk",
            Self::TrunkDown => "trunk_down",
            Self::Disabled => "disabled",
        }
    }
}

/// The state of a code, given which trunks are up.
#[must_use]
pub fn of(directory: &Directory, code: &OutboundCode, is_up: impl Fn(&str) -> bool) -> CodeState {
    if !code.enabled || !directory.settings().outbound.codes_enabled {
        return CodeState::Disabled;
    }
    let category = directory.channel_category(&code.category);
    let all: Vec<_> = category.into_iter().flat_map(|it| routes(directory, it)).collect();
    if !all.iter().any(|route| route.enabled) {
        return CodeState::NoRoute;
    }
    let working: Vec<_> = all.into_iter().filter(|route| works(directory, route)).collect();
    let has_line = working.iter().any(|route| route.trunks.iter().any(|trunk| is_up(trunk)));
    match (working.is_empty(), has_line) {
        (true, _) => CodeState::NoTrunk,
        (false, true) => CodeState::Ready,
        (false, false) => CodeState::TrunkDown,
    }
}
