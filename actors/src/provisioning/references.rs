//! Rules between resources: what refers to what, and which numbers clash.

use tandem_config::resource::{
    CallFlow, Destination, DialAction, DialStep, FieldError, FlowAction, Ivr, NumberRange,
    OutboundCode, OutboundPolicy, OutboundRoute, Queue, TimeCondition,
};
use tandem_config::{Kind, Resource};

use super::Directory;
use crate::outbound::category::routes;

/// What is wrong with a resource beside its own rules, given all others.
pub(super) fn check(directory: &Directory, resource: &Resource) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    match resource {
        Resource::Extension(extension) => {
            clash(directory, Kind::Extension, &extension.number, &mut wrong);
        }
        Resource::RingGroup(group) => {
            clash(directory, Kind::RingGroup, &group.number, &mut wrong);
            extensions(directory, "/members", &group.members, &mut wrong);
            destination(directory, "/failover", &group.failover, &mut wrong);
        }
        Resource::Ivr(ivr) => {
            clash(directory, Kind::Ivr, &ivr.number, &mut wrong);
            for (pointer, wanted) in of_ivr(ivr) {
                own_or(directory, resource, &pointer, wanted, &mut wrong);
            }
        }
        Resource::CallFlow(flow) => {
            clash(directory, Kind::CallFlow, &flow.number, &mut wrong);
            for (pointer, wanted) in of_flow(flow) {
                own_or(directory, resource, &pointer, wanted, &mut wrong);
            }
        }
        Resource::GroupVoicemail(voicemail) => {
            clash(directory, Kind::GroupVoicemail, &voicemail.number, &mut wrong);
            extensions(directory, "/members", &voicemail.members, &mut wrong);
        }
        Resource::Queue(queue) => {
            clash(directory, Kind::Queue, &queue.number, &mut wrong);
            outside_of_range(directory, &queue.number, &mut wrong);
            let itself = Destination::Queue { number: queue.number.clone() };
            // That a queue fails over to itself is refused by the queue's own rules.
            if queue.failover != itself {
                destination(directory, "/failover", &queue.failover, &mut wrong);
            }
            for (key, wanted) in &queue.key_events {
                own_or(directory, resource, &format!("/key_events/{key}"), wanted, &mut wrong);
            }
            time_condition(directory, resource, &queue.time_condition, &mut wrong);
            people(directory, queue, &mut wrong);
        }
        Resource::InboundRoute(route) => {
            destination(directory, "/destination", &route.destination, &mut wrong);
            trunks(directory, &route.trunks, &mut wrong);
        }
        Resource::OutboundRoute(route) => {
            order(directory, route, &mut wrong);
            trunks(directory, &route.trunks, &mut wrong);
            extensions(directory, "/extensions", &route.extensions, &mut wrong);
        }
        Resource::OutboundCode(code) => outbound_code(directory, code, &mut wrong),
        Resource::ChannelCategory(category) => {
            if let Some(route) = &category.route
                && directory.outbound_route(route).is_none()
            {
                wrong.push(missing("/route".into(), "outbound-route", route));
            }
            dial_steps(directory, &category.flow, &mut wrong);
        }
        Resource::User(user) => own_extension(directory, user.extension.as_ref(), &mut wrong),
        Resource::ApiToken(token) => {
            own_extension(directory, token.extension.as_ref(), &mut wrong);
        }
        Resource::Settings(settings) => outbound_policy(directory, &settings.outbound, &mut wrong),
        Resource::Trunk(_)
        | Resource::TimeProfile(_)
        | Resource::Wallboard(_)
        | Resource::Contact(_)
        // A group whose queue is gone passes it over.
        | Resource::Console(_) => {}
    }
    wrong
}

/// a queue that goes by the clock has a time profile.
fn time_condition(
    directory: &Directory,
    resource: &Resource,
    times: &TimeCondition,
    wrong: &mut Vec<FieldError>,
) {
    let name = &times.time_profile;
    let is_wanted = times.enabled || !name.is_empty();
    if is_wanted && directory.time_profile(name).is_none() {
        wrong.push(missing("/time_condition/time_profile".into(), "time-profile", name));
    }
    for (pointer, wanted) in of_times(times) {
        own_or(directory, resource, &format!("/time_condition/{pointer}"), wanted, wrong);
    }
}

/// Where a queue leads by the clock.
fn of_times(times: &TimeCondition) -> [(&'static str, &Destination); 2] {
    [
        ("out_of_hours_destination", &times.out_of_hours_destination),
        ("holiday_destination", &times.holiday_destination),
    ]
}

fn dial_steps(directory: &Directory, steps: &[DialStep], wrong: &mut Vec<FieldError>) {
    for (index, step) in steps.iter().enumerate() {
        if let DialAction::Dial { route, .. } = &step.action
            && directory.outbound_route(route).is_none()
        {
            let pointer = format!("/flow/{index}/action/route");
            wrong.push(missing(pointer, "outbound-route", route));
        }
        let pointer = format!("/flow/{index}/when/extensions");
        extensions(directory, &pointer, &step.when.extensions, wrong);
    }
}

/// O-003, O-004 and O-009: names and digits are unique, and there are not too many.
fn outbound_code(directory: &Directory, code: &OutboundCode, wrong: &mut Vec<FieldError>) {
    let others = || directory.outbound_codes().filter(|it| it.id != code.id);
    let taken = |pointer: &str, what: &str| FieldError {
        pointer: pointer.into(),
        code: "duplicate",
        detail: format!("another outbound code has this {what}"),
    };
    if others().any(|it| it.name == code.name) {
        wrong.push(taken("/name", "name"));
    }
    if others().any(|it| it.code == code.code) {
        wrong.push(taken("/code", "code"));
    }
    let most = directory.settings().outbound.max_codes as usize;
    if directory.outbound_code(&code.id).is_none() && others().count() >= most {
        let detail = format!("at most {most} outbound codes");
        wrong.push(FieldError { pointer: String::new(), code: "too-many", detail });
    }
    if !code.category.is_empty() && directory.channel_category(&code.category).is_none() {
        wrong.push(missing("/category".into(), "channel-category", &code.category));
    }
    for (index, number) in code.extensions.iter().enumerate() {
        if directory.extension(number).is_none() {
            wrong.push(missing(format!("/extensions/{index}"), "extension", number));
        }
    }
    for (index, number) in code.queues.iter().enumerate() {
        if directory.queue(number).is_none() {
            wrong.push(missing(format!("/queues/{index}"), "queue", number));
        }
    }
}

fn outbound_policy(directory: &Directory, policy: &OutboundPolicy, wrong: &mut Vec<FieldError>) {
    for (index, name) in policy.emergency_trunks.iter().enumerate() {
        if directory.trunk(name).is_none() {
            let pointer = format!("/outbound/emergency_trunks/{index}");
            wrong.push(missing(pointer, "trunk", name));
        }
    }
    for id in codes_of(policy) {
        if directory.outbound_code(id).is_none() {
            wrong.push(missing("/outbound/default_code".into(), "outbound-code", id));
        }
    }
}

/// The default codes of a policy (O-019).
fn codes_of(policy: &OutboundPolicy) -> impl Iterator<Item = &String> {
    let system = Some(&policy.default_code).filter(|code| !code.is_empty());
    policy
        .default_code_by_extension
        .values()
        .chain(policy.default_code_by_queue.values())
        .chain(system)
}

/// Routes that a dialled number could take have an order without ties (O-028).
fn order(directory: &Directory, route: &OutboundRoute, wrong: &mut Vec<FieldError>) {
    let is_rival = |it: &&OutboundRoute| {
        it.name != route.name && it.priority == route.priority && it.enabled && !it.codes_only
    };
    if !route.enabled || route.codes_only {
        return;
    }
    if let Some(rival) = directory.outbound_routes().find(is_rival) {
        wrong.push(FieldError {
            pointer: "/priority".into(),
            code: "ambiguous",
            detail: format!("the route {} has the same priority", rival.name),
        });
    }
}

fn own_extension(directory: &Directory, number: Option<&String>, wrong: &mut Vec<FieldError>) {
    if let Some(number) = number
        && directory.extension(number).is_none()
    {
        wrong.push(missing("/extension".into(), "extension", number));
    }
}

fn extensions(
    directory: &Directory,
    pointer: &str,
    numbers: &[String],
    wrong: &mut Vec<FieldError>,
) {
    for (index, number) in numbers.iter().enumerate() {
        if directory.extension(number).is_none() {
            wrong.push(missing(format!("{pointer}/{index}"), "extension", number));
        }
    }
}

/// Where a menu leads, by pointer.
fn of_ivr(ivr: &Ivr) -> Vec<(String, &Destination)> {
    let keys = ivr.keys.iter().map(|(key, to)| (format!("/keys/{key}"), to));
    let ends = [("/timeout".to_owned(), &ivr.timeout), ("/invalid".to_owned(), &ivr.invalid)];
    keys.chain(ends).collect()
}

/// Where a call flow leads, by pointer.
fn of_flow(flow: &CallFlow) -> Vec<(String, &Destination)> {
    let mut found = Vec::new();
    for (index, step) in flow.steps.iter().enumerate() {
        if let FlowAction::Go { destination } = &step.action {
            found.push((format!("/steps/{index}/action/destination"), destination));
        }
    }
    found
}

/// A destination that may be the resource itself: a menu that leads back to itself is not
/// written yet when it is checked.
fn own_or(
    directory: &Directory,
    resource: &Resource,
    pointer: &str,
    wanted: &Destination,
    wrong: &mut Vec<FieldError>,
) {
    if target_of(wanted) != Some((resource.kind(), resource.key())) {
        destination(directory, pointer, wanted, wrong);
    }
}

/// Agents and managers of a queue, and who may see its call log.
fn people(directory: &Directory, queue: &Queue, wrong: &mut Vec<FieldError>) {
    extensions(directory, "/managers", &queue.managers, wrong);
    let named = &queue.permissions.agent.call_log.agents;
    extensions(directory, "/permissions/agent/call_log/agents", named, wrong);
    for (index, member) in queue.members.iter().enumerate() {
        if directory.extension(&member.extension).is_none() {
            let pointer = format!("/members/{index}/extension");
            wrong.push(missing(pointer, "extension", &member.extension));
        }
    }
}

/// What has numbers of the one plan, and how it is called.
const OWNERS: [(Kind, &str); 6] = [
    (Kind::Extension, "an extension"),
    (Kind::Queue, "a queue"),
    (Kind::RingGroup, "a ring group"),
    (Kind::Ivr, "a menu"),
    (Kind::CallFlow, "a call flow"),
    (Kind::GroupVoicemail, "a group voicemail"),
];

/// The first number of the queues' range that nothing has.
pub(super) fn free_queue_number(directory: &Directory) -> Option<String> {
    let NumberRange { first, last } = directory.settings().queue_numbers;
    let is_free =
        |number: &String| OWNERS.iter().all(|(owner, _)| directory.find(*owner, number).is_none());
    (first..=last).map(|number| number.to_string()).find(is_free)
}

/// A new queue has a number of the queues' range. One that is there already goes on with
/// its own, which never changes, whatever the range is by now.
fn outside_of_range(directory: &Directory, number: &str, wrong: &mut Vec<FieldError>) {
    let NumberRange { first, last } = directory.settings().queue_numbers;
    let is_within = |digits: u32| (first..=last).contains(&digits) && digits.to_string() == number;
    // What is no number at all is refused by the queue's own rules.
    let is_number = number.bytes().all(|it| it.is_ascii_digit());
    let is_new = directory.queue(number).is_none();
    if !is_new || !is_number || number.parse().is_ok_and(is_within) {
        return;
    }
    wrong.push(FieldError {
        pointer: "/number".into(),
        code: "out-of-range",
        detail: format!(
            "new queues have a number from {first} to {last}, by queue_numbers of the settings"
        ),
    });
}

/// Extensions, queues and all else that is dialled share one number plan; `plan` holds
/// it against the codes.
fn clash(directory: &Directory, kind: Kind, number: &str, wrong: &mut Vec<FieldError>) {
    let others = OWNERS.into_iter().filter(|(owner, _)| *owner != kind);
    let taken_by = others.filter(|(owner, _)| directory.find(*owner, number).is_some());
    if let Some(owner) = taken_by.map(|(_, owner)| owner).next() {
        wrong.push(FieldError {
            pointer: "/number".into(),
            code: "number-taken",
            detail: format!("{number} is the number of {owner}"),
        });
    }
}

fn trunks(directory: &Directory, names: &[String], wrong: &mut Vec<FieldError>) {
    for (index, name) in names.iter().enumerate() {
        if directory.trunk(name).is_none() {
            wrong.push(missing(format!("/trunks/{index}"), "trunk", name));
        }
    }
}

fn destination(
    directory: &Directory,
    pointer: &str,
    wanted: &Destination,
    wrong: &mut Vec<FieldError>,
) {
    let Some((kind, number)) = target_of(wanted) else { return };
    let known = match wanted {
        Destination::ExtVm { .. } => directory.mailbox(number).is_some(),
        _ => directory.find(kind, number).is_some(),
    };
    if !known {
        wrong.push(missing(format!("{pointer}/number"), kind.as_str(), number));
    }
}

/// The resource that a destination means.
fn target_of(wanted: &Destination) -> Option<(Kind, &str)> {
    match wanted {
        Destination::Extension { number } | Destination::ExtVm { number } => {
            Some((Kind::Extension, number))
        }
        Destination::Queue { number } => Some((Kind::Queue, number)),
        Destination::GroupVm { number } => Some((Kind::GroupVoicemail, number)),
        Destination::Ivr { number } => Some((Kind::Ivr, number)),
        Destination::CallFlow { number } => Some((Kind::CallFlow, number)),
        Destination::RingGroup { number } => Some((Kind::RingGroup, number)),
        Destination::EndCall
        | Destination::ExternalNum { .. }
        | Destination::PlayGreeting { .. } => None,
    }
}

fn missing(pointer: String, kind: &str, key: &str) -> FieldError {
    FieldError { pointer, code: "unknown-reference", detail: format!("there is no {kind} {key}") }
}

/// Who of those that lead calls to the outside refers to a resource.
fn outside_users_of(directory: &Directory, kind: Kind, key: &str, users: &mut Vec<String>) {
    let is_extension = |number: &str| kind == Kind::Extension && number == key;
    for category in directory.channel_categories() {
        let leads = || routes(directory, category).any(|route| route.name == key);
        let asks = |step: &DialStep| step.when.extensions.iter().any(|it| is_extension(it));
        if (kind == Kind::OutboundRoute && leads()) || category.flow.iter().any(asks) {
            users.push(format!("channel-category {}", category.name));
        }
    }
    for code in directory.outbound_codes() {
        let member = code.extensions.iter().any(|it| is_extension(it))
            || (kind == Kind::Queue && code.queues.iter().any(|it| it == key))
            || (kind == Kind::ChannelCategory && code.category == key);
        if member {
            users.push(format!("outbound-code {}", code.id));
        }
    }
    let policy = &directory.settings().outbound;
    if (kind == Kind::OutboundCode && codes_of(policy).any(|it| it == key))
        || (kind == Kind::Trunk && policy.emergency_trunks.iter().any(|it| it == key))
    {
        users.push("settings system".to_owned());
    }
}

/// Who refers to a resource, as `kind key`; it can not be deleted while somebody does.
pub(super) fn users_of(directory: &Directory, kind: Kind, key: &str) -> Vec<String> {
    let leads_here = |wanted: &Destination| target_of(wanted) == Some((kind, key));
    let is_extension = |number: &str| kind == Kind::Extension && number == key;
    let is_trunk = |names: &[String]| kind == Kind::Trunk && names.iter().any(|it| it == key);
    let mut users = Vec::new();
    for queue in directory.queues() {
        let member = queue.members.iter().any(|member| is_extension(&member.extension))
            || queue.managers.iter().any(|manager| is_extension(manager))
            || queue.permissions.agent.call_log.agents.iter().any(|agent| is_extension(agent));
        let times = &queue.time_condition;
        let by_clock = of_times(times).iter().any(|(_, wanted)| leads_here(wanted));
        let leads =
            leads_here(&queue.failover) || queue.key_events.values().any(leads_here) || by_clock;
        let reads = kind == Kind::TimeProfile && times.time_profile == key;
        if member || reads || (leads && queue.number != key) {
            users.push(format!("queue {}", queue.number));
        }
    }
    for group in directory.ring_groups() {
        let member = group.members.iter().any(|member| is_extension(member));
        if member || (leads_here(&group.failover) && group.number != key) {
            users.push(format!("ring-group {}", group.number));
        }
    }
    for ivr in directory.ivrs().filter(|ivr| ivr.number != key) {
        if of_ivr(ivr).iter().any(|(_, wanted)| leads_here(wanted)) {
            users.push(format!("ivr {}", ivr.number));
        }
    }
    for flow in directory.call_flows().filter(|flow| flow.number != key) {
        if of_flow(flow).iter().any(|(_, wanted)| leads_here(wanted)) {
            users.push(format!("call-flow {}", flow.number));
        }
    }
    for voicemail in directory.group_voicemails() {
        if voicemail.members.iter().any(|member| is_extension(member)) {
            users.push(format!("group-voicemail {}", voicemail.number));
        }
    }
    for route in directory.inbound_routes() {
        if leads_here(&route.destination) || is_trunk(&route.trunks) {
            users.push(format!("inbound-route {}", route.name));
        }
    }
    for route in directory.outbound_routes() {
        if is_trunk(&route.trunks) || route.extensions.iter().any(|it| is_extension(it)) {
            users.push(format!("outbound-route {}", route.name));
        }
    }
    outside_users_of(directory, kind, key, &mut users);
    for user in directory.users() {
        if user.extension.as_deref().is_some_and(is_extension) {
            users.push(format!("user {}", user.name));
        }
    }
    for token in directory.api_tokens() {
        if token.extension.as_deref().is_some_and(is_extension) {
            users.push(format!("api-token {}", token.id));
        }
    }
    users
}
