//! Between the outward and the kept form of a resource. Secrets go in and never come out: a
//! password that is left out of a write stays what it was.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tandem_api::resource as api;
use tandem_config::resource as kept;
use tandem_config::{Kind, Resource};

use super::warnings;
use crate::convert;
use crate::edge::Edge;
use crate::operation::read;
use crate::problem::{Code, Problem};

const PASSWORD: &str = "password";
const MAILBOX: &str = "mailbox";
const HASHES: [&str; 2] = ["password_hash", "secret_hash"];

/// The outward form of a resource.
pub(crate) fn outward(resource: &Resource) -> Result<Value, Problem> {
    match resource {
        Resource::Extension(of) => through::<api::Extension>(of),
        Resource::Trunk(of) => through::<api::Trunk>(of),
        Resource::InboundRoute(of) => through::<api::InboundRoute>(of),
        Resource::OutboundRoute(of) => through::<api::OutboundRoute>(of),
        Resource::Queue(of) => through::<api::Queue>(of),
        Resource::User(of) => through::<api::User>(of),
        Resource::ApiToken(of) => through::<api::ApiToken>(of),
        Resource::Settings(of) => through::<api::Settings>(of),
        Resource::RingGroup(of) => through::<api::RingGroup>(of),
        Resource::Ivr(of) => through::<api::Ivr>(of),
        Resource::CallFlow(of) => through::<api::CallFlow>(of),
        Resource::GroupVoicemail(of) => through::<api::GroupVoicemail>(of),
        Resource::OutboundCode(of) => through::<api::OutboundCode>(of),
        Resource::ChannelCategory(of) => through::<api::ChannelCategory>(of),
        Resource::TimeProfile(of) => through::<api::TimeProfile>(of),
        Resource::Wallboard(of) => through::<api::Wallboard>(of),
        Resource::Console(of) => through::<api::Console>(of),
        Resource::Contact(of) => through::<api::Contact>(of),
    }
}

/// Through the outward type, which knows no hashes and writes no passwords.
fn through<T: Serialize + DeserializeOwned>(of: &impl Serialize) -> Result<Value, Problem> {
    let mut value = convert::value(of)?;
    if let Some(fields) = value.as_object_mut() {
        for hash in HASHES {
            fields.remove(hash);
        }
    }
    let outward: T = serde_json::from_value(value)
        .map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    convert::value(&outward)
}

/// The kept form of what a client wrote, in place of `before`.
pub(super) async fn inward(
    edge: &Edge,
    kind: Kind,
    body: Value,
    before: Option<&Resource>,
) -> Result<Resource, Problem> {
    Ok(match kind {
        Kind::Extension => {
            let written: api::Extension = read(body)?;
            let password = written.password.clone();
            let mut fields = fields(&written)?;
            let old = match before {
                Some(Resource::Extension(old)) => Some(&old.password),
                _ => None,
            };
            secret(&mut fields, password, old, "/password")?;
            let old = match before {
                Some(Resource::Extension(old)) => Some(&old.voicemail.mailbox.pin),
                _ => None,
            };
            if let Some(voicemail) = fields.get_mut("voicemail") {
                pin(&mut voicemail[MAILBOX], written.voicemail.mailbox.pin, old);
            }
            Resource::Extension(read(Value::Object(fields))?)
        }
        Kind::Trunk => Resource::Trunk(trunk(body, before)?),
        Kind::InboundRoute => Resource::InboundRoute(plain::<api::InboundRoute, _>(body)?),
        Kind::OutboundRoute => Resource::OutboundRoute(plain::<api::OutboundRoute, _>(body)?),
        Kind::Queue => Resource::Queue(plain::<api::Queue, _>(warnings::without(body))?),
        Kind::User => Resource::User(user(edge, body, before).await?),
        Kind::ApiToken => {
            let mut fields = fields(&read::<api::ApiToken>(body)?)?;
            let Some(Resource::ApiToken(old)) = before else {
                return Err(Problem::new(Code::Internal, "tokens are made elsewhere"));
            };
            fields.insert("secret_hash".into(), Value::String(old.secret_hash.clone()));
            Resource::ApiToken(read(Value::Object(fields))?)
        }
        Kind::Settings => Resource::Settings(plain::<api::Settings, _>(body)?),
        Kind::RingGroup => Resource::RingGroup(plain::<api::RingGroup, _>(body)?),
        Kind::Ivr => Resource::Ivr(plain::<api::Ivr, _>(body)?),
        Kind::CallFlow => Resource::CallFlow(plain::<api::CallFlow, _>(body)?),
        Kind::GroupVoicemail => {
            let written: api::GroupVoicemail = read(body)?;
            let mut fields = fields(&written)?;
            let old = match before {
                Some(Resource::GroupVoicemail(old)) => Some(&old.mailbox.pin),
                _ => None,
            };
            if let Some(mailbox) = fields.get_mut(MAILBOX) {
                pin(mailbox, written.mailbox.pin, old);
            }
            Resource::GroupVoicemail(read(Value::Object(fields))?)
        }
        Kind::OutboundCode => Resource::OutboundCode(plain::<api::OutboundCode, _>(body)?),
        Kind::ChannelCategory => Resource::ChannelCategory(plain::<api::ChannelCategory, _>(body)?),
        Kind::TimeProfile => Resource::TimeProfile(plain::<api::TimeProfile, _>(body)?),
        Kind::Wallboard => Resource::Wallboard(plain::<api::Wallboard, _>(body)?),
        Kind::Contact => Resource::Contact(plain::<api::Contact, _>(body)?),
        Kind::Console => Resource::Console(plain::<api::Console, _>(body)?),
    })
}

/// A resource without secrets: the outward type checks the form, the kept type the values.
fn plain<T, K>(body: Value) -> Result<K, Problem>
where
    T: Serialize + DeserializeOwned,
    K: DeserializeOwned,
{
    read(convert::value(&read::<T>(body)?)?)
}

fn fields(written: &impl Serialize) -> Result<Map<String, Value>, Problem> {
    match convert::value(written)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(Problem::new(Code::Internal, "a resource is an object")),
    }
}

fn secret(
    fields: &mut Map<String, Value>,
    new: Option<String>,
    old: Option<&String>,
    pointer: &str,
) -> Result<(), Problem> {
    let missing = || Problem::field(pointer, "required", "a password is needed");
    let secret = new.or_else(|| old.cloned()).ok_or_else(missing)?;
    fields.insert(PASSWORD.into(), Value::String(secret));
    Ok(())
}

/// A PIN that is left out stays what it was.
fn pin(mailbox: &mut Value, new: Option<String>, old: Option<&String>) {
    let pin = new.or_else(|| old.cloned()).unwrap_or_default();
    mailbox["pin"] = Value::String(pin);
}

fn trunk(body: Value, before: Option<&Resource>) -> Result<kept::Trunk, Problem> {
    let written: api::Trunk = read(body)?;
    let password = written.auth.as_ref().and_then(|auth| auth.password.clone());
    let mut fields = fields(&written)?;
    if let Some(Value::Object(auth)) = fields.get_mut("auth") {
        let old = match before {
            Some(Resource::Trunk(old)) => old.auth.as_ref().map(|auth| &auth.password),
            _ => None,
        };
        secret(auth, password, old, "/auth/password")?;
    }
    read(Value::Object(fields))
}

async fn user(edge: &Edge, body: Value, before: Option<&Resource>) -> Result<kept::User, Problem> {
    let written: api::User = read(body)?;
    let mut fields = fields(&written)?;
    let hash = match (written.password, before) {
        (Some(password), _) => {
            if !(8..=128).contains(&password.chars().count()) {
                return Err(Problem::field("/password", "weak-password", "8 to 128 characters"));
            }
            edge.passwords.hash(password).await?
        }
        (None, Some(Resource::User(old))) => old.password_hash.clone(),
        (None, _) => return Err(Problem::field("/password", "required", "a password is needed")),
    };
    fields.insert("password_hash".into(), Value::String(hash));
    read(Value::Object(fields))
}

pub(super) const fn role(role: api::Role) -> kept::Role {
    match role {
        api::Role::Admin => kept::Role::Admin,
        api::Role::Manager => kept::Role::Manager,
        api::Role::Agent => kept::Role::Agent,
        api::Role::Wallboard => kept::Role::Wallboard,
    }
}

/// A moment in RFC 3339.
pub(super) fn moment(pointer: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|_| Problem::field(pointer, "wrong-value", "a moment in RFC 3339"))
}

/// JSON merge patch (RFC 7396).
pub(crate) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// A key as one segment of a path (RFC 3986 section 3.3).
pub(super) fn escape(key: &str) -> String {
    let mut escaped = String::new();
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
