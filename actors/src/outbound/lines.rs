//! From a bare number to the lines that are tried: route, order of trunks, number sent, caller ID
//! (O-027 to O-033, O-037), and what the policy keeps in.

use tandem_config::resource::{
    DialHours, DialRule, OnUnrouted, OutboundCode, OutboundPolicy, OutboundRoute, Trunk, shows,
};
use tandem_kernel::Timestamp;

use super::category::{Way, way};
use super::choose::Choice;
use super::numbers::{e164, is_country_allowed};
use super::{Barred, Occasion, Outgoing, Plan, Rule, UsedCode};
use crate::call::machine::Line;
use crate::provisioning::Directory;

/// How many trunks one call tries at most.
const MAX_LINES: usize = 8;

/// The caller ID of a call that shows none.
pub const WITHHELD: &str = "anonymous";

/// A choice that leads nowhere: no route takes the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoute;

/// What a chosen number leads to; `Ok(Err(NoRoute))` when no ordinary route takes it.
///
/// # Errors
/// Why it is not let out.
pub fn plan(
    directory: &Directory,
    extension: Option<&str>,
    dialled: &str,
    choice: &Choice<'_>,
    occasion: &Occasion<'_>,
) -> Result<Result<Plan, NoRoute>, Barred> {
    let call = Asked { directory, extension, dialled, choice, occasion };
    match choice.code {
        Some(code) => call.by_code(code),
        None => call.by_number(),
    }
}

/// How a call came to its route.
struct Applied<'a> {
    is_by_code: bool,
    /// What the route looks at.
    number: &'a str,
    /// The flow's or the code's caller ID; empty: none.
    shown: &'a str,
}

struct Asked<'a> {
    directory: &'a Directory,
    extension: Option<&'a str>,
    dialled: &'a str,
    choice: &'a Choice<'a>,
    occasion: &'a Occasion<'a>,
}

impl Asked<'_> {
    fn policy(&self) -> &OutboundPolicy {
        &self.directory.settings().outbound
    }

    fn by_code(&self, code: &OutboundCode) -> Result<Result<Plan, NoRoute>, Barred> {
        let (number, now) = (self.choice.number.as_str(), self.occasion.now);
        let (route, prepend, shown) = match way(self.directory, code, self.extension, number, now) {
            Way::Over { route, prepend, caller_id } => (route, prepend, caller_id),
            Way::Rejected(reason) => return Err(Barred::new(Rule::Flow, reason)),
            Way::Unrouted => return self.unrouted(code),
        };
        let shown = [shown, &code.caller_id].into_iter().find(|id| !id.is_empty());
        let number = format!("{prepend}{number}");
        let Some(rule) = self.rule_of(route, &number) else {
            let why = format!("the route {} does not take the number", route.name);
            return Err(Barred::new(Rule::NumberNotTaken, why));
        };
        if !self.may_use(route) {
            return Err(self.not_permitted());
        }
        let by = Applied { is_by_code: true, number: &number, shown: shown.unwrap_or_default() };
        self.over(route, rule, &by).map(Ok)
    }

    /// A code without a route that can be used (O-037).
    fn unrouted(&self, code: &OutboundCode) -> Result<Result<Plan, NoRoute>, Barred> {
        match self.policy().on_unrouted {
            OnUnrouted::DefaultRoute => self.by_number(),
            OnUnrouted::Reject => {
                let why = format!("the outbound code {} has no route", code.name);
                Err(Barred::new(Rule::CodeUnrouted, why))
            }
        }
    }

    /// The first route in the order of priority that the extension may use (D-035).
    fn by_number(&self) -> Result<Result<Plan, NoRoute>, Barred> {
        let mut routes: Vec<&OutboundRoute> = self
            .directory
            .outbound_routes()
            .filter(|route| route.enabled && !route.codes_only)
            .collect();
        routes.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        let mut is_forbidden = false;
        for route in routes {
            let number = &self.choice.number;
            let Some(rule) = self.rule_of(route, number) else { continue };
            if self.may_use(route) {
                let by = Applied { is_by_code: false, number, shown: "" };
                return self.over(route, rule, &by).map(Ok);
            }
            is_forbidden = true;
        }
        if is_forbidden { Err(self.not_permitted()) } else { Ok(Err(NoRoute)) }
    }

    fn not_permitted(&self) -> Barred {
        Barred::new(Rule::RouteNotPermitted, format!("no permission to dial {}", self.dialled))
    }

    fn rule_of<'r>(&self, route: &'r OutboundRoute, number: &str) -> Option<&'r DialRule> {
        let caller = self.extension.unwrap_or_default();
        if !route.callers.is_empty() && !route.callers.iter().any(|it| it.matches(caller)) {
            return None;
        }
        route.rules.iter().find(|rule| {
            number.strip_prefix(rule.prefix.as_str()).is_some_and(|it| rule.pattern.matches(it))
        })
    }

    fn may_use(&self, route: &OutboundRoute) -> bool {
        let is_in = |who: &str| route.extensions.iter().any(|it| it == who);
        route.extensions.is_empty() || self.extension.is_none_or(is_in)
    }

    fn over(
        &self,
        route: &OutboundRoute,
        rule: &DialRule,
        by: &Applied<'_>,
    ) -> Result<Plan, Barred> {
        let policy = self.policy();
        if !is_open(&policy.hours, policy.utc_offset_minutes, self.occasion.now) {
            return Err(Barred::new(Rule::Hours, "calls to the outside are closed now"));
        }
        let behind = by.number.strip_prefix(rule.prefix.as_str());
        let rest = behind.unwrap_or_default().chars().skip(usize::from(rule.strip));
        let sent: String = rule.prepend.chars().chain(rest).collect();
        if !is_country_allowed(self.policy(), &sent) {
            return Err(Barred::new(Rule::Country, format!("the country of {sent} is barred")));
        }
        let shown = self.caller_id(by.shown, route)?;
        let trunks = in_order(route, self.occasion.draw);
        let lines: Vec<Line> = trunks
            .into_iter()
            .filter_map(|name| self.directory.trunk(name))
            .take(MAX_LINES)
            .map(|trunk| Line {
                trunk: trunk.name.clone(),
                number: sent.clone(),
                caller_id: shown_on(trunk, &shown),
                uri: None,
                is_emergency: false,
                price_per_minute: route.price_per_minute,
            })
            .collect();
        Ok(Plan { outgoing: self.outgoing(route, &sent, by.is_by_code, &lines), lines })
    }

    fn outgoing(
        &self,
        route: &OutboundRoute,
        sent: &str,
        is_code_applied: bool,
        lines: &[Line],
    ) -> Outgoing {
        let used = |code: &OutboundCode| UsedCode {
            id: code.id.clone(),
            name: code.name.clone(),
            code: code.code.clone(),
        };
        // A code's number is bare; an ordinary one may carry a digit for the outside line.
        let number = if self.choice.code.is_some() { &self.choice.number } else { sent };
        Outgoing {
            dialled: self.dialled.to_owned(),
            number: e164(self.policy(), number).unwrap_or_else(|| number.to_owned()),
            code: self.choice.code.map(used),
            is_code_applied,
            category: self.choice.code.map(|code| code.category.clone()),
            route: route.name.clone(),
            caller_id: lines.first().map(|line| line.caller_id.clone()).unwrap_or_default(),
            is_emergency: false,
            price_per_minute: route.price_per_minute,
        }
    }

    /// The code's, the chosen one, the route's, the extension's, else empty: the trunk's (O-030).
    fn caller_id(&self, of_code: &str, route: &OutboundRoute) -> Result<String, Barred> {
        let own = self.extension.and_then(|number| self.directory.extension(number));
        let own = own.map(|it| it.outbound_caller_id.as_str()).unwrap_or_default();
        let chosen = self.occasion.wish.caller_id.as_deref().unwrap_or_default();
        let listed = self.policy().caller_ids.iter().any(|it| it == chosen);
        if !chosen.is_empty() && !listed && chosen != own && chosen != WITHHELD {
            let why = format!("the caller ID {chosen} can not be chosen");
            return Err(Barred::new(Rule::CallerIdNotAllowed, why));
        }
        let order = [of_code, chosen, &route.caller_id, own];
        let first = order.into_iter().find(|id| !id.is_empty());
        Ok(first.unwrap_or_default().to_owned())
    }
}

/// What a trunk shows for a wanted caller ID; empty: what it shows of itself.
fn shown_on(trunk: &Trunk, wanted: &str) -> String {
    let is_taken = match wanted {
        "" => false,
        WITHHELD => trunk.withholding,
        wanted => shows(&trunk.caller_ids, wanted),
    };
    if is_taken { wanted.to_owned() } else { trunk.caller_id.clone() }
}

/// The trunks in the order in which they are tried: as they stand, or drawn by their shares.
#[must_use]
pub fn in_order(route: &OutboundRoute, draw: u64) -> Vec<&str> {
    let mut left: Vec<(&str, u64)> = Vec::new();
    let mut order: Vec<&str> = Vec::new();
    for trunk in &route.trunks {
        let share = route.weights.get(trunk).copied().unwrap_or(0);
        left.push((trunk, u64::from(share)));
    }
    let mut draw = draw;
    loop {
        let total: u64 = left.iter().map(|(_, share)| share).sum();
        if total == 0 {
            break;
        }
        let mut at = draw % total;
        draw = draw.rotate_right(17) ^ 0x9e37_79b9_7f4a_7c15;
        let found = left.iter().position(|(_, share)| {
            let is_here = at < *share;
            at = at.saturating_sub(*share);
            is_here
        });
        let Some(found) = found else { break };
        order.push(left.remove(found).0);
    }
    order.extend(left.into_iter().map(|(trunk, _)| trunk));
    order
}

/// Whether it is one of these hours, or there are none.
#[must_use]
pub fn is_open(hours: &[DialHours], utc_offset_minutes: i16, now: Timestamp) -> bool {
    if hours.is_empty() {
        return true;
    }
    let minutes = i64::try_from(now.as_micros() / 60_000_000).unwrap_or(i64::MAX);
    let local = minutes.saturating_add(i64::from(utc_offset_minutes));
    let minute = u16::try_from(local.rem_euclid(24 * 60)).unwrap_or(0);
    // 1970-01-01 was a Thursday, day 4.
    let day = u8::try_from((local.div_euclid(24 * 60) + 3).rem_euclid(7) + 1).unwrap_or(1);
    hours.iter().any(|hours| {
        hours.days.contains(&day) && (hours.from_minute..hours.until_minute).contains(&minute)
    })
}

/// The plan of an emergency call: every enabled trunk, the preferred ones first, whatever the
/// rights and limits (O-022 step 1, D-038). None when there is no trunk at all.
#[must_use]
pub fn emergency(directory: &Directory, extension: Option<&str>, number: &str) -> Option<Plan> {
    let preferred = &directory.settings().outbound.emergency_trunks;
    let mut trunks: Vec<&Trunk> =
        preferred.iter().filter_map(|name| directory.trunk(name)).collect();
    trunks.extend(directory.trunks().filter(|trunk| !preferred.contains(&trunk.name)));
    let own = extension.and_then(|number| directory.extension(number));
    let own = own.map(|it| it.outbound_caller_id.as_str()).unwrap_or_default();
    let lines: Vec<Line> = trunks
        .into_iter()
        .filter(|trunk| trunk.enabled)
        .take(MAX_LINES)
        .map(|trunk| Line {
            trunk: trunk.name.clone(),
            number: number.to_owned(),
            caller_id: shown_on(trunk, own),
            uri: None,
            is_emergency: true,
            price_per_minute: 0,
        })
        .collect();
    let outgoing = Outgoing {
        dialled: number.to_owned(),
        number: number.to_owned(),
        caller_id: lines.first()?.caller_id.clone(),
        is_emergency: true,
        ..Outgoing::default()
    };
    Some(Plan { outgoing, lines })
}
