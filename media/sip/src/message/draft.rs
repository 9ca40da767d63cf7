//! A message that is being made.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};

use super::error::Fault;
use super::lines::is_token_byte;
use super::method::Method;
use super::name::Name;
use super::parsed::{Message, Parts};
use super::phrase::reason_phrase;
use crate::value::address_param;

/// A message being made. Every value is a single line: line ends and other controls that a
/// value holds become spaces, so that no value can bring headers of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    start: Start,
    fields: Vec<Field>,
    body: Bytes,
}

#[derive(Clone, Debug, PartialEq)]
enum Start {
    Request { method: Method, uri: String },
    Response { status: u16, reason: Cow<'static, str> },
}

#[derive(Clone, Debug, PartialEq)]
struct Field {
    name: Key,
    value: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Key {
    Known(Name),
    Other(Box<str>),
}

impl Key {
    const fn text(&self) -> &str {
        match self {
            Self::Known(name) => name.canonical(),
            Self::Other(name) => name,
        }
    }
}

/// More hops than any request may take (RFC 3261 16.6: Max-Forwards begins at 70).
pub(super) const MAX_VIAS: usize = 70;

impl Draft {
    /// A request without headers. Blanks and controls are taken out of the URI.
    #[must_use]
    pub fn request(method: Method, uri: impl Into<String>) -> Self {
        let uri = bare(uri.into());
        Self { start: Start::Request { method, uri }, fields: Vec::new(), body: Bytes::new() }
    }

    /// The answer to a request (RFC 3261 8.2.6.2): Via, From, To, Call-ID and CSeq as they came.
    #[must_use]
    pub fn response(to: &Message, status: u16) -> Self {
        Self::copying(&to.parts(), status)
    }

    /// The answer to a malformed request; `None` if it has no Via to send it by, or so many that
    /// the answer, a line for each, would be far longer than the request: a forged source would
    /// have us flood whom it names.
    pub(super) fn reply(to: &Parts<'_>, fault: Fault) -> Option<Self> {
        to.headers(Name::Via).next().filter(|via| !via.is_empty())?;
        if to.headers(Name::Via).nth(MAX_VIAS).is_some() {
            return None;
        }
        let draft = Self::copying(to, fault.status);
        Some(if fault.status == 400 { draft.with_reason(fault.reason) } else { draft })
    }

    fn copying(to: &Parts<'_>, status: u16) -> Self {
        let reason = Cow::Borrowed(reason_phrase(status));
        let mut fields = Vec::with_capacity(12);
        let mut copy = |name, value: &str| {
            // Other controls may be part of a quoted string that must come back as it was.
            let value = value.replace(['\r', '\n'], " ");
            fields.push(Field { name: Key::Known(name), value });
        };
        to.headers(Name::Via).for_each(|via| copy(Name::Via, via));
        for name in [Name::From, Name::To, Name::CallId, Name::CSeq] {
            if let Some(value) = to.headers(name).next() {
                copy(name, value);
            }
        }
        Self { start: Start::Response { status, reason }, fields, body: Bytes::new() }
    }

    /// Adds a value behind all others.
    #[must_use]
    pub fn with(mut self, name: Name, value: impl Into<String>) -> Self {
        self.push(name, value);
        self
    }

    /// Adds a value behind all others.
    pub fn push(&mut self, name: Name, value: impl Into<String>) {
        self.fields.push(Field { name: Key::Known(name), value: single_line(value.into()) });
    }

    /// Adds a value before all others.
    pub fn push_front(&mut self, name: Name, value: impl Into<String>) {
        let field = Field { name: Key::Known(name), value: single_line(value.into()) };
        self.fields.insert(0, field);
    }

    /// Puts one value in the place of all that the header has.
    pub fn set(&mut self, name: Name, value: impl Into<String>) {
        let name = Key::Known(name);
        let value = single_line(value.into());
        match self.fields.iter().position(|field| field.name == name) {
            None => self.fields.push(Field { name, value }),
            Some(at) => {
                let mut place = 0;
                self.fields.retain(|field| {
                    place += 1;
                    field.name != name || place - 1 == at
                });
                self.fields[at].value = value;
            }
        }
    }

    /// Takes all values of a header away.
    pub fn remove(&mut self, name: Name) {
        self.fields.retain(|field| field.name != Key::Known(name));
    }

    /// Adds a header by its text; what cannot stand in a name is taken out of it.
    #[must_use]
    pub fn with_other(mut self, name: &str, value: impl Into<String>) -> Self {
        self.push_other(name, value);
        self
    }

    /// Adds a header by its text; what cannot stand in a name is taken out of it.
    pub fn push_other(&mut self, name: &str, value: impl Into<String>) {
        if let Some(known) = Name::parse(name.as_bytes()) {
            return self.push(known, value);
        }
        let name: String =
            name.chars().filter(|c| u8::try_from(*c).is_ok_and(is_token_byte)).collect();
        if !name.is_empty() {
            let value = single_line(value.into());
            self.fields.push(Field { name: Key::Other(name.into()), value });
        }
    }

    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: Name) -> Option<&str> {
        self.headers(name).next()
    }

    /// All values of a header in order, as they were added.
    pub fn headers(&self, name: Name) -> impl Iterator<Item = &str> {
        let of_name = self.fields.iter().filter(move |field| field.name == Key::Known(name));
        of_name.map(|field| field.value.as_str())
    }

    /// The first value of a header by its text, in any case.
    #[must_use]
    pub fn other(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|field| field.name.text().eq_ignore_ascii_case(name));
        found.map(|field| field.value.as_str())
    }

    /// The status code of a response.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(status),
        }
    }

    /// The reason phrase of a response.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { reason, .. } => Some(reason),
        }
    }

    /// The method of a request.
    #[must_use]
    pub const fn method(&self) -> Option<&Method> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// The request URI; empty for a response.
    #[must_use]
    pub fn uri(&self) -> &str {
        match &self.start {
            Start::Request { uri, .. } => uri,
            Start::Response { .. } => "",
        }
    }

    /// Leads a request elsewhere, by a URI without blanks and controls; no effect on a response.
    pub fn set_uri(&mut self, to: impl Into<String>) {
        if let Start::Request { uri, .. } = &mut self.start {
            *uri = bare(to.into());
        }
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// An answer that says something else, with its usual words.
    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.start = Start::Response { status, reason: Cow::Borrowed(reason_phrase(status)) };
        self
    }

    /// Puts other words beside the status code; no effect on a request.
    #[must_use]
    pub fn with_reason(mut self, phrase: impl Into<String>) -> Self {
        if let Start::Response { reason, .. } = &mut self.start {
            *reason = Cow::Owned(single_line(phrase.into()));
        }
        self
    }

    /// Gives the message a body.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.set(Name::ContentType, content_type);
        self.body = body.into();
        self
    }

    /// Gives the To header a tag, if it has none (RFC 3261 8.2.6.2).
    pub fn set_to_tag(&mut self, tag: &str) {
        let to = self.fields.iter_mut().find(|field| field.name == Key::Known(Name::To));
        if let Some(to) = to.filter(|to| address_param(&to.value, "tag").is_none()) {
            to.value.push_str(";tag=");
            to.value.extend(tag.chars().filter(|c| u8::try_from(*c).is_ok_and(is_token_byte)));
        }
    }

    /// The Call-ID in what [`Draft::encode`] wrote, found without reading the rest.
    pub(crate) fn call_id_in(encoded: &[u8]) -> &str {
        let name = Name::CallId.canonical().as_bytes();
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', encoded) {
            let line = encoded[start..end].trim_ascii_end();
            let value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(b": "));
            if let Some(value) = value {
                return std::str::from_utf8(value.trim_ascii()).unwrap_or_default();
            }
            if line.is_empty() {
                return "";
            }
            start = end + 1;
        }
        ""
    }

    /// The message as it goes over the wire, always with its Content-Length.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let fields: usize =
            self.fields.iter().map(|f| f.name.text().len() + f.value.len() + 4).sum();
        let mut out = BytesMut::with_capacity(fields + self.body.len() + 128);
        match &self.start {
            Start::Request { method, uri } => {
                put(&mut out, &[method.as_str(), " ", uri, " SIP/2.0\r\n"]);
            }
            Start::Response { status, reason } => {
                put(&mut out, &["SIP/2.0 ", &status.to_string(), " ", reason, "\r\n"]);
            }
        }
        let is_length = |field: &&Field| field.name == Key::Known(Name::ContentLength);
        for field in self.fields.iter().filter(|field| !is_length(field)) {
            put(&mut out, &[field.name.text(), ": ", &field.value, "\r\n"]);
        }
        put(&mut out, &["Content-Length: ", &self.body.len().to_string(), "\r\n\r\n"]);
        out.put_slice(&self.body);
        out.freeze()
    }
}

fn put(out: &mut BytesMut, texts: &[&str]) {
    for text in texts {
        out.put_slice(text.as_bytes());
    }
}

/// A URI as it can stand in a first line.
fn bare(mut uri: String) -> String {
    if uri.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        uri.retain(|letter| letter > ' ' && letter != '\u{7f}');
    }
    uri
}

/// A value on one line: controls become spaces.
fn single_line(mut value: String) -> String {
    if value.bytes().any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f) {
        let is_control = |letter: char| letter.is_ascii_control() && letter != '\t';
        value = value.replace(is_control, " ");
    }
    value
}
