//! Rules between resources: what refers to what, and which numbers clash.

use tandem_config::resource::{Destination, FieldError};
use tandem_config::{Kind, Resource};

use super::Directory;

/// What is wrong with a resource beside its own rules, given all others.
pub(super) fn check(directory: &Directory, resource: &Resource) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    match resource {
        Resource::Extension(extension) => {
            clash(directory, Kind::Extension, &extension.number, &mut wrong);
        }
        Resource::Queue(queue) => {
            clash(directory, Kind::Queue, &queue.number, &mut wrong);
            let itself = Destination::Queue { number: queue.number.clone() };
            // That a queue fails over to itself is refused by the queue's own rules.
            if queue.failover != itself {
                destination(directory, "/failover", &queue.failover, &mut wrong);
            }
            for (index, member) in queue.members.iter().enumerate() {
                if directory.extension(&member.extension).is_none() {
                    let pointer = format!("/members/{index}/extension");
                    wrong.push(missing(pointer, "extension", &member.extension));
                }
            }
        }
        Resource::InboundRoute(route) => {
            destination(directory, "/destination", &route.destination, &mut wrong);
            trunks(directory, &route.trunks, &mut wrong);
        }
        Resource::OutboundRoute(route) => {
            trunks(directory, &route.trunks, &mut wrong);
            for (index, number) in route.extensions.iter().enumerate() {
                if directory.extension(number).is_none() {
                    wrong.push(missing(format!("/extensions/{index}"), "extension", number));
                }
            }
        }
        Resource::User(user) => own_extension(directory, user.extension.as_ref(), &mut wrong),
        Resource::ApiToken(token) => {
            own_extension(directory, token.extension.as_ref(), &mut wrong);
        }
        Resource::Trunk(_) | Resource::Settings(_) => {}
    }
    wrong
}

fn own_extension(directory: &Directory, number: Option<&String>, wrong: &mut Vec<FieldError>) {
    if let Some(number) = number
        && directory.extension(number).is_none()
    {
        wrong.push(missing("/extension".into(), "extension", number));
    }
}

/// Extensions and queues share one number plan; `plan` holds it against the codes.
fn clash(directory: &Directory, kind: Kind, number: &str, wrong: &mut Vec<FieldError>) {
    let taken_by = if kind != Kind::Extension && directory.extension(number).is_some() {
        Some("an extension")
    } else if kind != Kind::Queue && directory.queue(number).is_some() {
        Some("a queue")
    } else {
        None
    };
    if let Some(owner) = taken_by {
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
    let (kind, number, known) = match wanted {
        Destination::Extension { number } => {
            ("extension", number, directory.extension(number).is_some())
        }
        Destination::Queue { number } => ("queue", number, directory.queue(number).is_some()),
        Destination::EndCall
        | Destination::ExternalNum { .. }
        | Destination::PlayGreeting { .. } => return,
    };
    if !known {
        wrong.push(missing(format!("{pointer}/number"), kind, number));
    }
}

fn missing(pointer: String, kind: &str, key: &str) -> FieldError {
    FieldError { pointer, code: "unknown-reference", detail: format!("there is no {kind} {key}") }
}

/// Who refers to a resource, as `kind key`; it can not be deleted while somebody does.
pub(super) fn users_of(directory: &Directory, kind: Kind, key: &str) -> Vec<String> {
    let leads_here = |wanted: &Destination| match wanted {
        Destination::Extension { number } => kind == Kind::Extension && number == key,
        Destination::Queue { number } => kind == Kind::Queue && number == key,
        Destination::EndCall
        | Destination::ExternalNum { .. }
        | Destination::PlayGreeting { .. } => false,
    };
    let is_extension = |number: &str| kind == Kind::Extension && number == key;
    let is_trunk = |names: &[String]| kind == Kind::Trunk && names.iter().any(|it| it == key);
    let mut users = Vec::new();
    for queue in directory.queues() {
        let member = queue.members.iter().any(|member| is_extension(&member.extension));
        if member || (leads_here(&queue.failover) && queue.number != key) {
            users.push(format!("queue {}", queue.number));
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
