//! What is worth a second look in a queue that was saved: nothing is wrong with it by itself.

use serde_json::{Value, json};
use tandem_actors::outbound::permission::{Reach, reach};
use tandem_actors::provisioning::Directory;
use tandem_api::resource::{SavedQueue, Warning};
use tandem_config::resource::Queue;
use tandem_config::{Kind, Resource};

use crate::convert;
use crate::operation::Shape;
use crate::problem::Problem;

/// What a write answers: a queue comes with warnings.
pub(super) fn shape(kind: Kind, read: &Shape) -> Shape {
    if kind != Kind::Queue {
        return read.clone();
    }
    let mut example = read.example.clone();
    example["warnings"] = json!([{
        "pointer": "/members/0/extension", "code": "route-not-permitted",
        "detail": "1001 may use no outbound route of the callbacks",
    }]);
    Shape::of::<SavedQueue>(example)
}

/// Puts the warnings of a queue into its outward form; other kinds have none.
pub(super) fn add(
    directory: &Directory,
    resource: &Resource,
    mut body: Value,
) -> Result<Value, Problem> {
    if let Resource::Queue(queue) = resource {
        body["warnings"] = convert::value(&of(directory, queue))?;
    }
    Ok(body)
}

/// An answer can be written back as it came.
pub(super) fn without(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.remove("warnings");
    }
    body
}

fn of(directory: &Directory, queue: &Queue) -> Vec<Warning> {
    let mut warnings = callback(directory, queue);
    warnings.extend(without_address(directory, queue));
    warnings
}

/// the agent who answers calls the customer, with the agent's own rights.
fn callback(directory: &Directory, queue: &Queue) -> Vec<Warning> {
    if !queue.callback.enabled {
        return Vec::new();
    }
    let prefix = &queue.callback.outbound_prefix;
    let agents = queue.members.iter().map(|member| member.extension.as_str());
    let barred = match reach(directory, prefix, agents) {
        Reach::NoRoute => {
            let detail = "no outbound route takes the numbers that are called back".to_owned();
            let pointer = "/callback/outbound_prefix".to_owned();
            return vec![Warning { pointer, code: "no-route".to_owned(), detail }];
        }
        Reach::Barred(barred) => barred,
    };
    let members = queue.members.iter().enumerate();
    let warned = members.filter(|(_, member)| barred.contains(&member.extension.as_str()));
    let warnings = warned.map(|(index, member)| Warning {
        pointer: format!("/members/{index}/extension"),
        code: "route-not-permitted".to_owned(),
        detail: format!("{} may use no outbound route of the callbacks", member.extension),
    });
    warnings.collect()
}

/// who has no address is told of nothing.
fn without_address(directory: &Directory, queue: &Queue) -> Vec<Warning> {
    let has_address =
        |number: &String| directory.extension(number).is_some_and(|it| !it.email.is_empty());
    let managers = queue.managers.iter().enumerate();
    let warnings =
        managers.filter(|(_, number)| !has_address(number)).map(|(index, number)| Warning {
            pointer: format!("/managers/{index}"),
            code: "no-address".to_owned(),
            detail: format!("{number} has no e-mail address and gets no letters"),
        });
    warnings.collect()
}
