//! From facts to entries of the audit log.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use tandem_journal::Record;
use tandem_wire::WireError;

use super::Entry;
use super::event::DeedEvent;
use crate::entity;
use crate::event::ResourceEvent;
use crate::sessions::event::SessionEvent;

/// Of each field of a resource, enough to tell that it has changed. Values are not kept: some are
/// secrets.
type Fields = BTreeMap<String, u64>;

/// What the entries before have led to.
#[derive(Debug, Default)]
pub(super) struct Fold {
    resources: HashMap<String, Fields>,
}

impl Fold {
    /// The entry of a fact; none: it is nobody's deed.
    ///
    /// # Errors
    /// When the bytes are no such fact.
    pub(super) fn apply(&mut self, record: &Record) -> Result<Option<Entry>, WireError> {
        let entry = |by: &str, action: &str, kind: &str, key: &str| Entry {
            position: record.position,
            at: record.at,
            by: by.to_owned(),
            action: action.to_owned(),
            kind: kind.to_owned(),
            key: key.to_owned(),
            fields: Vec::new(),
            from: String::new(),
        };
        Ok(match record.entity.kind {
            entity::RESOURCE => match entity::decode(&record.event)? {
                ResourceEvent::Put { kind, key, body, by } => {
                    let (action, fields) = self.written(&record.entity.key, &body);
                    Some(Entry { fields, ..entry(&by, action, kind.as_str(), &key) })
                }
                ResourceEvent::Removed { kind, key, by } => {
                    self.resources.remove(&record.entity.key);
                    Some(entry(&by, "removed", kind.as_str(), &key))
                }
            },
            entity::SESSION => match entity::decode(&record.event)? {
                SessionEvent::Opened { user, from, .. } => {
                    let by = format!("user:{user}");
                    Some(Entry { from, ..entry(&by, "signed-in", "session", &user) })
                }
                SessionEvent::Closed { user } => {
                    Some(entry(&format!("user:{user}"), "signed-out", "session", &user))
                }
                SessionEvent::Used | SessionEvent::Expired => None,
            },
            entity::DEED => {
                let DeedEvent::Done { action, kind, key, by } = entity::decode(&record.event)?;
                Some(entry(&by, &action, &kind, &key))
            }
            _ => None,
        })
    }

    /// What a write was, and the fields that it changed.
    fn written(&mut self, entity: &str, body: &str) -> (&'static str, Vec<String>) {
        let now = fields_of(body);
        let before = self.resources.insert(entity.to_owned(), now.clone());
        let Some(before) = before else { return ("created", Vec::new()) };
        let names = now.keys().chain(before.keys().filter(|name| !now.contains_key(*name)));
        let changed = names.filter(|name| now.get(*name) != before.get(*name));
        let mut changed: Vec<String> = changed.cloned().collect();
        changed.sort();
        ("changed", changed)
    }
}

fn fields_of(body: &str) -> Fields {
    let Ok(Value::Object(fields)) = serde_json::from_str(body) else { return Fields::new() };
    let digest = |value: &Value| {
        let hash = blake3::hash(value.to_string().as_bytes());
        let (head, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
        u64::from_le_bytes(*head)
    };
    // The tag of the kind is no field.
    let fields = fields.into_iter().filter(|(name, _)| name != "kind");
    fields.map(|(name, value)| (name, digest(&value))).collect()
}
