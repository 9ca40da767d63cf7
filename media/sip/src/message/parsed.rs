//! A message that has come.

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use super::check;
use super::draft::Draft;
use super::error::{Fault, ParseError};
use super::index::{Entry, Index, MAX_BYTES};
use super::lines::{skip_blank_lines, unfold};
use super::list::Values;
use super::method::Method;
use super::name::Name;
use super::start::{Span, Start};
use crate::value::{CSeq, ValueError, Via, address_param};

/// A message: the bytes that came and an index of what is where. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Message(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    raw: Bytes,
    /// The head that the index is of, if it is not `raw`: unfolded, or mended to be UTF-8.
    mended: Option<Box<str>>,
    start: Start,
    entries: SmallVec<[Entry; 24]>,
    body: Bytes,
}

/// What of a head is read, whether or not the message is fit for use.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    head: &'a [u8],
    entries: &'a [Entry],
}

impl<'a> Parts<'a> {
    fn text(self, span: Span) -> &'a str {
        let bytes = self.head.get(span.start as usize..span.end as usize).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The known names of all lines.
    pub(super) fn names(self) -> impl Iterator<Item = Name> {
        self.entries.iter().filter_map(|entry| entry.known)
    }

    pub(super) fn headers(self, name: Name) -> impl Iterator<Item = &'a str> {
        let of_name = self.entries.iter().filter(move |entry| entry.known == Some(name));
        of_name.flat_map(move |entry| Values::of(name, self.text(entry.value)))
    }
}

impl Message {
    /// Reads one whole message: a datagram, or what a [`super::Framer`] has cut. What stands
    /// behind the body is dropped (RFC 3261 18.3).
    ///
    /// # Errors
    /// The message cannot be understood. [`Message::check`] looks closer at the values.
    pub fn parse(raw: Bytes) -> Result<Self, ParseError> {
        if raw.len() > MAX_BYTES {
            return Err(ParseError::new(Fault { status: 513, reason: "Message Too Large" }, None));
        }
        let at = skip_blank_lines(&raw);
        let mut index = Index::empty();
        let is_unfolded = index.fill(&raw, at).is_ok();
        let head = &raw[..index.body_at.unwrap_or(raw.len())];
        // Most heads are ASCII, which is told in a tenth of the time.
        if is_unfolded && (head.is_ascii() || std::str::from_utf8(head).is_ok()) {
            return Self::finish(raw, index, None);
        }
        // Unfolded and made UTF-8; the body is where it was.
        let (head, body_at) = unfold(&raw, at);
        let head = String::from_utf8_lossy(&head).into_owned().into_boxed_str();
        index = Index::empty();
        if index.fill(head.as_bytes(), 0).is_err() {
            // A first line that begins with a blank.
            index.fault = Some(Fault::bad("Malformed start line"));
        }
        index.body_at = body_at;
        Self::finish(raw, index, Some(head))
    }

    fn finish(mut raw: Bytes, index: Index, mended: Option<Box<str>>) -> Result<Self, ParseError> {
        let body_at = index.body_at.unwrap_or(raw.len());
        let available = raw.len() - body_at;
        let length = index.content_length.unwrap_or(available);
        let short = (length > available)
            .then_some(Fault::bad("Body shorter than Content-Length"))
            .filter(|_| index.fault.is_none());
        match (index.start, index.fault.or(short)) {
            (Some(start), None) => {
                let body = match length {
                    0 => Bytes::new(),
                    _ => raw.slice(body_at..body_at + length),
                };
                raw.truncate(body_at + length);
                Ok(Self(Arc::new(Inner { raw, mended, start, entries: index.entries, body })))
            }
            (start, fault) => {
                let head = mended.as_deref().map_or(&raw[..], str::as_bytes);
                let parts = Parts { head, entries: &index.entries };
                let is_ack = match &start {
                    Some(Start::Request { method, .. }) => *method == Method::Ack,
                    Some(Start::Response { .. }) | None => raw.starts_with(b"ACK "),
                };
                let fault = fault.unwrap_or(Fault::bad("Bad Request"));
                let is_answered = !index.is_response && !is_ack;
                let answer = is_answered.then(|| Draft::reply(&parts, fault)).flatten();
                Err(ParseError::new(fault, answer))
            }
        }
    }

    /// Looks at the values that every use of the message depends on: the mandatory headers, that
    /// single ones are single, numbers in range, addresses well-formed, the scheme known.
    ///
    /// # Errors
    /// The status code to answer with, and that answer.
    pub fn check(&self) -> Result<(), ParseError> {
        check::check(self).map_err(|fault| {
            let is_answered = self.is_request() && self.method_ref() != Some(&Method::Ack);
            let parts = self.parts();
            ParseError::new(fault, is_answered.then(|| Draft::reply(&parts, fault)).flatten())
        })
    }

    /// A refusal of this request, if it is one that is answered.
    pub(super) fn refusal(&self, status: u16) -> Option<Draft> {
        let is_answered = self.is_request() && self.method_ref() != Some(&Method::Ack);
        let fault = Fault { status, reason: super::reason_phrase(status) };
        is_answered.then(|| Draft::reply(&self.parts(), fault)).flatten()
    }

    pub(super) fn parts(&self) -> Parts<'_> {
        Parts { head: self.head(), entries: &self.0.entries }
    }

    fn head(&self) -> &[u8] {
        self.0.mended.as_deref().map_or(&self.0.raw[..], str::as_bytes)
    }

    fn text(&self, span: Span) -> &str {
        let bytes = self.head().get(span.start as usize..span.end as usize).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Whether this is a request.
    #[must_use]
    pub fn is_request(&self) -> bool {
        matches!(self.0.start, Start::Request { .. })
    }

    /// The method of a request.
    #[must_use]
    pub fn method(&self) -> Option<Method> {
        self.method_ref().cloned()
    }

    /// The method of a request, without a copy.
    #[must_use]
    pub fn method_ref(&self) -> Option<&Method> {
        match &self.0.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// The request URI as it came.
    #[must_use]
    pub fn uri(&self) -> Option<&str> {
        match &self.0.start {
            Start::Request { uri, .. } => Some(self.text(*uri)),
            Start::Response { .. } => None,
        }
    }

    /// The status code of a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.0.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(*status),
        }
    }

    /// The reason phrase of a response.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match &self.0.start {
            Start::Request { .. } => None,
            Start::Response { reason, .. } => Some(self.text(*reason)),
        }
    }

    /// The first value of a header, unfolded and trimmed.
    #[must_use]
    pub fn header(&self, name: Name) -> Option<&str> {
        self.headers(name).next()
    }

    /// All values of a header in order; lists are split into their values.
    pub fn headers(&self, name: Name) -> impl Iterator<Item = &str> {
        self.parts().headers(name)
    }

    /// The first value of a header that [`Name`] does not know, in any case.
    #[must_use]
    pub fn other(&self, name: &str) -> Option<&str> {
        if let Some(known) = Name::parse(name.as_bytes()) {
            return self.header(known);
        }
        let mut unknown = self.0.entries.iter().filter(|entry| entry.known.is_none());
        let found = unknown.find(|entry| self.text(entry.name()).eq_ignore_ascii_case(name));
        found.map(|entry| self.text(entry.value))
    }

    /// Every header line in order: its name as it came, its value unfolded but not split.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.entries.iter().map(|entry| (self.text(entry.name()), self.text(entry.value)))
    }

    /// The body: as long as Content-Length says, or all that is left of a datagram.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// The bytes of this message.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.0.raw
    }

    /// The Call-ID; empty if there is none.
    #[must_use]
    pub fn call_id(&self) -> &str {
        self.header(Name::CallId).unwrap_or_default()
    }

    /// The CSeq number and method.
    ///
    /// # Errors
    /// There is none, or it is malformed.
    pub fn cseq(&self) -> Result<(u32, Method), ValueError> {
        let value = self.header(Name::CSeq).ok_or(ValueError::new("CSeq"))?;
        CSeq::parse(value).map(|cseq| (cseq.number, cseq.method))
    }

    /// The tag of the From header.
    #[must_use]
    pub fn from_tag(&self) -> Option<&str> {
        self.header(Name::From).and_then(|value| address_param(value, "tag"))
    }

    /// The tag of the To header.
    #[must_use]
    pub fn to_tag(&self) -> Option<&str> {
        self.header(Name::To).and_then(|value| address_param(value, "tag"))
    }

    /// The topmost Via.
    ///
    /// # Errors
    /// There is none, or it is malformed.
    pub fn top_via(&self) -> Result<Via, ValueError> {
        Via::parse(self.header(Name::Via).ok_or(ValueError::new("Via"))?)
    }

    /// Hops that are left; a number that does not fit is cut to 255 (RFC 3261 20.22).
    #[must_use]
    pub fn max_forwards(&self) -> Option<u32> {
        self.number(Name::MaxForwards).map(|hops| hops.min(255))
    }

    /// The first value of a header as a number; what does not fit is cut to the largest number.
    #[must_use]
    pub fn number(&self, name: Name) -> Option<u32> {
        self.header(name).and_then(crate::value::clamped_number)
    }

    /// Whether a list of tokens, such as Supported or Require, has this one.
    #[must_use]
    pub fn lists(&self, name: Name, token: &str) -> bool {
        self.headers(name).any(|value| value.eq_ignore_ascii_case(token))
    }
}
