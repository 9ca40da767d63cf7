//! Journal records as the event stream shows them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tandem_journal::Record;

use super::NoteEvent;
use super::queue_log::LogEvent;
use super::status::PresenceEvent;
use crate::agent::event::AgentEvent;
use crate::call::event::CallEvent;
use crate::callback::CallbackEvent;
use crate::entity;
use crate::event::ResourceEvent;
use crate::leases::event::LeaseEvent;
use crate::office::FeedItem;
use crate::queue::event::QueueEvent;
use crate::registrar::RegistrarEvent;
use crate::voicemail::event::MailboxEvent;

/// A record as an item of the stream; none for what is not told outside, and for bytes that this
/// build can not read.
#[must_use]
pub fn item(record: &Record) -> Option<FeedItem> {
    let key = record.entity.key.clone();
    let (kind, key, name, data) = match record.entity.kind {
        entity::CALL => {
            let event: CallEvent = read(record)?;
            ("call".to_owned(), key, event.name().to_owned(), fields(&event))
        }
        entity::QUEUE => {
            let event: QueueEvent = read(record)?;
            let key = entity::queue_number(&key).to_owned();
            ("queue".to_owned(), key, event.name().to_owned(), fields(&event))
        }
        entity::AGENT => {
            let event: AgentEvent = read(record)?;
            ("agent".to_owned(), key, event.name().to_owned(), fields(&event))
        }
        entity::REGISTRAR => {
            let event: RegistrarEvent = read(record)?;
            let name = match &event {
                RegistrarEvent::Bound { .. } | RegistrarEvent::BoundAt { .. } => {
                    "registration.bound"
                }
                RegistrarEvent::Unbound { .. } => "registration.unbound",
                // Among the members only.
                RegistrarEvent::Carried { .. } => return None,
            };
            ("registration".to_owned(), key, name.to_owned(), fields(&event))
        }
        entity::MAILBOX => {
            let event: MailboxEvent = read(record)?;
            ("voicemail".to_owned(), key, event.name().to_owned(), fields(&event))
        }
        entity::CALLBACK => {
            let CallbackEvent::Forgotten { at, by, .. } = read(record)?;
            // The number is not told: it is to be forgotten.
            let data = serde_json::json!({ "at": at, "by": by });
            ("callback".to_owned(), key, "callback.forgotten".to_owned(), data)
        }
        entity::LEASE => {
            let event: LeaseEvent = read(record)?;
            ("lease".to_owned(), key, event.name().to_owned(), fields(&event))
        }
        entity::NOTE => {
            let NoteEvent::Written { at, by, .. } = read(record)?;
            // What was written is read at the API, by its rights.
            let data = serde_json::json!({ "at": at, "by": by });
            ("call".to_owned(), key, "call.noted".to_owned(), data)
        }
        entity::QUEUE_LOG => {
            let event: LogEvent = read(record)?;
            ("queue".to_owned(), key, event.name().to_owned(), fields(&event))
        }
        entity::STATUS => {
            let event: PresenceEvent = read(record)?;
            ("agent".to_owned(), key, event.name().to_owned(), fields(&event))
        }
        entity::RESOURCE => resource(&read(record)?),
        _ => return None,
    };
    Some(FeedItem { position: record.position, at: record.at, kind, key, name, data })
}

/// Resources are told by who changed them; what they hold is read at the API, by its rights.
fn resource(event: &ResourceEvent) -> (String, String, String, Value) {
    let (kind, key, by, what) = match event {
        ResourceEvent::Put { kind, key, by, .. } => (kind, key, by, "written"),
        ResourceEvent::Removed { kind, key, by } => (kind, key, by, "removed"),
    };
    let kind = kind.as_str().to_owned();
    let name = format!("{kind}.{what}");
    (kind, key.clone(), name, serde_json::json!({ "by": by }))
}

fn read<T: DeserializeOwned>(record: &Record) -> Option<T> {
    entity::decode(&record.event)
        .inspect_err(|error| tracing::error!(position = %record.position, %error, "unreadable"))
        .ok()
}

/// The fields of an event's variant, without its name.
fn fields<T: Serialize>(event: &T) -> Value {
    match serde_json::to_value(event) {
        Ok(Value::Object(variant)) => {
            variant.into_iter().next().map_or(Value::Null, |(_, fields)| fields)
        }
        _ => Value::Object(Map::new()),
    }
}
