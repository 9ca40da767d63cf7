//! Addresses in headers: From, To, Contact, Route and their like (RFC 3261 20.10).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::params::{each, quote, unquote};
use super::{Params, Uri, UriText, ValueError, textual};
use crate::message::lexis::closing_quote;

const BAD: ValueError = ValueError::new("address");

/// A display name, a URI and the header's parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NameAddr {
    /// The display name as plain text.
    pub display: Option<String>,
    /// The URI.
    pub uri: Uri,
    /// The parameters of the header, such as `tag` or `expires`.
    pub params: Params,
}

textual!(NameAddr);

impl NameAddr {
    /// An address without display name and parameters.
    #[must_use]
    pub const fn new(uri: Uri) -> Self {
        Self { display: None, uri, params: Params::new() }
    }

    /// With a display name; an empty one is none.
    #[must_use]
    pub fn with_display(mut self, display: impl Into<String>) -> Self {
        self.display = Some(display.into()).filter(|display| !display.is_empty());
        self
    }

    /// With a tag.
    #[must_use]
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", tag);
        self
    }

    /// Reads `"Name" <uri>;params`, `Name <uri>`, `<uri>` or `uri;params`. Parameters behind a
    /// URI without brackets are the header's.
    ///
    /// # Errors
    /// It is not of that form.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let parts = AddressText::read(text)?;
        let display = unquote(parts.display);
        let display = Some(display).filter(|display| !display.is_empty());
        Ok(Self { display, uri: Uri::parse(parts.uri)?, params: Params::parse(parts.params)? })
    }

    /// The tag, if it has one.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag")
    }

    /// A parameter of the header; empty if it has no value.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name)
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "{} ", quote(display))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

/// An address taken apart without a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AddressText<'a> {
    /// With its quotes.
    pub(crate) display: &'a str,
    pub(crate) uri: &'a str,
    /// From the first semicolon behind the URI.
    pub(crate) params: &'a str,
}

impl<'a> AddressText<'a> {
    pub(crate) fn read(text: &'a str) -> Result<Self, ValueError> {
        let text = text.trim_ascii();
        if text.starts_with('"') {
            let end = closing_quote(text.as_bytes(), 0).ok_or(BAD)? + 1;
            let rest = text[end..].trim_ascii_start().strip_prefix('<').ok_or(BAD)?;
            return Self::bracketed(&text[..end], rest);
        }
        if let Some(open) = memchr::memchr(b'<', text.as_bytes()) {
            let (display, rest) = (text[..open].trim_ascii_end(), &text[open + 1..]);
            if !display.bytes().all(is_display_byte) {
                return Err(BAD);
            }
            return Self::bracketed(display, rest);
        }
        // RFC 3261 20: a URI with a comma, question mark or semicolon must be in brackets.
        let (uri, params) = text.split_at(text.find(';').unwrap_or(text.len()));
        let uri = uri.trim_ascii_end();
        if uri.contains([',', '?']) {
            return Err(BAD);
        }
        Ok(Self { display: "", uri, params })
    }

    fn bracketed(display: &'a str, rest: &'a str) -> Result<Self, ValueError> {
        let close = memchr::memchr(b'>', rest.as_bytes()).ok_or(BAD)?;
        let params = rest[close + 1..].trim_ascii();
        Ok(Self { display, uri: &rest[..close], params })
    }

    /// Whether the URI and every parameter are well-formed.
    pub(crate) fn check(&self) -> Result<UriText<'a>, ValueError> {
        let uri = UriText::read(self.uri)?;
        each(self.params).try_for_each(|param| param.map(drop))?;
        Ok(uri)
    }
}

/// Leniently more than the tokens of RFC 3261, but nothing that ends or begins another part.
const fn is_display_byte(byte: u8) -> bool {
    !matches!(byte, b'"' | b',' | b';' | b':' | b'<' | b'>' | b'\\' | 0..8 | 10..32 | 0x7f)
}

/// A parameter of an address value such as the tag, without a look at the rest.
pub(crate) fn address_param<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let from = match value.as_bytes().first() {
        Some(b'"') => closing_quote(value.as_bytes(), 0)?,
        _ => 0,
    };
    let rest = &value[from..];
    let params = match memchr::memchr(b'<', rest.as_bytes()) {
        Some(open) => &rest[open + memchr::memchr(b'>', &rest.as_bytes()[open..])? + 1..],
        None => &rest[memchr::memchr(b';', rest.as_bytes())?..],
    };
    let found = each(params).filter_map(Result::ok).find(|(n, _)| n.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.unwrap_or_default())
}
