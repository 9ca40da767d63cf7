//! Parameters: `;name=value`, `;name`, `;name="quoted value"`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ValueError;
use crate::message::lexis::{closing_quote, is_token};

const BAD: ValueError = ValueError::new("parameter");

/// The parameters of a URI or a header value in order. Names are compared in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Params(Vec<(String, Option<String>)>);

impl Params {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Reads `;a=b;c`; an empty text has none.
    ///
    /// # Errors
    /// An empty parameter, a name that is no token, or a quote that does not end.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let mut params = Self::new();
        for param in each(text) {
            let (name, value) = param?;
            params.0.push((name.to_owned(), value.map(str::to_owned)));
        }
        Ok(params)
    }

    /// The value of a parameter as it stands, quotes included; empty if it has none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_deref().unwrap_or_default())
    }

    /// Whether the parameter is there, with a value or without.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value of a parameter without its quotes.
    #[must_use]
    pub fn unquoted(&self, name: &str) -> Option<String> {
        self.get(name).map(unquote)
    }

    /// Sets a parameter; what cannot stand unquoted is quoted.
    pub fn set(&mut self, name: &str, value: impl AsRef<str>) {
        let value = quote_if_needed(value.as_ref());
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some(param) => param.1 = Some(value),
            None => self.0.push((name.to_owned(), Some(value))),
        }
    }

    /// Sets a parameter that has no value.
    pub fn set_flag(&mut self, name: &str) {
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some(param) => param.1 = None,
            None => self.0.push((name.to_owned(), None)),
        }
    }

    /// Takes a parameter away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// For the parser of URIs, whose parameters have another grammar.
    pub(super) fn add(&mut self, name: String, value: Option<String>) {
        self.0.push((name, value));
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.iter() {
            match value {
                Some(value) => write!(f, ";{name}={value}")?,
                None => write!(f, ";{name}")?,
            }
        }
        Ok(())
    }
}

/// The parameters of a text that is empty or begins with a semicolon.
pub(super) fn each(text: &str) -> Each<'_> {
    Each { rest: text.trim_ascii() }
}

/// Parameters, read one by one; stops behind an error.
pub(super) struct Each<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Each<'a> {
    type Item = Result<(&'a str, Option<&'a str>), ValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let text = std::mem::take(&mut self.rest);
        Some(text.strip_prefix(';').ok_or(BAD).and_then(|text| {
            let end = end_of(text)?;
            self.rest = &text[end..];
            one(&text[..end])
        }))
    }
}

/// Where a parameter ends: at the next semicolon outside quotes.
fn end_of(text: &str) -> Result<usize, ValueError> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b';', b'"', &bytes[at..]) {
        at += found;
        if bytes[at] == b';' {
            return Ok(at);
        }
        at = closing_quote(bytes, at).ok_or(BAD)? + 1;
    }
    Ok(bytes.len())
}

fn one(text: &str) -> Result<(&str, Option<&str>), ValueError> {
    let (name, value) = match memchr::memchr(b'=', text.as_bytes()) {
        Some(at) => (&text[..at], Some(text[at + 1..].trim_ascii())),
        None => (text, None),
    };
    let name = name.trim_ascii();
    if !is_token(name.as_bytes()) {
        return Err(BAD);
    }
    Ok((name, value))
}

/// A quoted string without its quotes and backslashes; any other text as it is.
pub(super) fn unquote(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let Some(inner) = inner else { return text.to_owned() };
    let mut plain = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    plain
}

/// A quoted string (RFC 3261 25.1). Line ends, which no value can have, are left out.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars().filter(|letter| !matches!(letter, '\r' | '\n')) {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

pub(super) fn quote_if_needed(text: &str) -> String {
    let is_plain = |byte: u8| is_token(&[byte]) || matches!(byte, b'[' | b']' | b':');
    if !text.is_empty() && text.bytes().all(is_plain) { text.to_owned() } else { quote(text) }
}
