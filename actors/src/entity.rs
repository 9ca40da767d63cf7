//! The journal's names for our entities, and the bytes of their events.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tandem_journal::{Entity, Kind};
use tandem_kernel::CallId;

/// Provisioned resources; the key is `kind/key`.
pub const RESOURCE: Kind = Kind(1);
/// Calls; the key is the call id.
pub const CALL: Kind = Kind(2);
/// Queues; the key is the number. A cluster of an earlier build had one of each queue at each
/// member but the first, with `@` and the member behind the number.
pub const QUEUE: Kind = Kind(3);
/// Agents; the key is the extension.
pub const AGENT: Kind = Kind(4);
/// Registrations; the key is the extension.
pub const REGISTRAR: Kind = Kind(5);
/// What is kept of calls so that another member can go on with them; the key is the call id.
pub const PICTURE: Kind = Kind(7);
/// Which member runs which shard of queues and agents; the key is `table`.
pub const PLACEMENT: Kind = Kind(6);

/// Mailboxes; the key is the number of the extension or the group.
pub const MAILBOX: Kind = Kind(16);
/// What is known of callbacks beside the calls' own events; the key is `index`.
pub const CALLBACK: Kind = Kind(20);

/// Notes on calls; the key is the call id.
pub const NOTE: Kind = Kind(21);

/// What was made of the entries of a queue's call log; the key is the queue's number.
pub const QUEUE_LOG: Kind = Kind(22);

/// What the users of extensions are doing; the key is the extension.
pub const STATUS: Kind = Kind(23);

/// Sessions of people; the key is the BLAKE3 of the session's secret.
pub const SESSION: Kind = Kind(24);
/// Requests with an Idempotency-Key; the key is the BLAKE3 of who, what and the key.
pub const REPEAT: Kind = Kind(25);
/// Deeds that no other fact tells of; the key is `kind/key` of what they were done to.
pub const DEED: Kind = Kind(26);
/// States that have outlived their leases; the key is `queue/number` or `agent/extension`.
pub const LEASE: Kind = Kind(27);

/// Uploaded prompts; the key is the name without the folder.
pub const PROMPT: Kind = Kind(28);

/// What all members of the cluster speak; the key is `level`.
pub const LEVEL: Kind = Kind(29);

/// The schema version of all event types of this crate.
const VERSION: u16 = 1;

/// Longest event that is read.
const MAX_EVENT: usize = 64 * 1024;

/// The entity of a call.
#[must_use]
pub fn call(id: CallId) -> Entity {
    Entity::new(CALL, id.to_string())
}

/// The entity of a call's note.
#[must_use]
pub fn note(id: CallId) -> Entity {
    Entity::new(NOTE, id.to_string())
}

/// The entity of a queue.
#[must_use]
pub fn queue(number: &str) -> Entity {
    Entity::new(QUEUE, number)
}

/// The entity of what was made of a queue's call log.
#[must_use]
pub fn queue_log(number: &str) -> Entity {
    Entity::new(QUEUE_LOG, number)
}

/// The entity of what the user of an extension is doing.
#[must_use]
pub fn status(extension: &str) -> Entity {
    Entity::new(STATUS, extension)
}

/// The number of a queue by the key of its entity.
#[must_use]
pub fn queue_number(key: &str) -> &str {
    key.split_once('@').map_or(key, |(number, _)| number)
}

/// The entity of an extension's registrations.
#[must_use]
pub fn registrations(extension: &str) -> Entity {
    Entity::new(REGISTRAR, extension)
}

/// The bytes of an event, with the schema version in front.
#[must_use]
pub fn encode<T: Serialize>(event: &T) -> Bytes {
    let mut bytes = VERSION.to_le_bytes().to_vec();
    tandem_wire::encode_into(event, &mut bytes);
    bytes.into()
}

/// Reads an event.
///
/// # Errors
/// When the bytes are of another version or are no such event.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, tandem_wire::WireError> {
    let (found, body) = tandem_wire::split_version(bytes)?;
    if found != VERSION {
        return Err(tandem_wire::WireError::UnknownVersion { found, known: VERSION });
    }
    tandem_wire::decode(body, MAX_EVENT)
}

/// Values whose form is made for JSON (a tag beside the fields), inside of bincode.
pub(crate) mod as_json {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serde_json::to_string(value).map_err(S::Error::custom)?.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
