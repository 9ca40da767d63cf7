//! URIs (RFC 3261 19.1, RFC 3966).

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::uri_text::UriText;
use super::{Params, ValueError, textual};

/// The scheme of a URI.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// RFC 3261.
    Sip,
    /// RFC 3261 26.2.2, RFC 5630.
    Sips,
    /// RFC 3966.
    Tel,
    /// Anything else, in lower case.
    Other(String),
}

impl Scheme {
    /// As it stands before the colon.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sip => "sip",
            Self::Sips => "sips",
            Self::Tel => "tel",
            Self::Other(name) => name,
        }
    }

    fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "sip" => Self::Sip,
            "sips" => Self::Sips,
            "tel" => Self::Tel,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// A URI. `==` compares the parts as they are; [`Uri::is_equivalent`] compares as RFC 3261
/// 19.1.4 says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uri {
    /// The scheme.
    pub scheme: Scheme,
    /// The user with all escapes that it needs and no others; the number of a `tel` URI.
    pub user: Option<String>,
    /// The password, escaped likewise.
    pub password: Option<String>,
    /// In lower case; an IPv6 address in brackets. For [`Scheme::Other`], all that follows the
    /// scheme; empty for `tel`.
    pub host: String,
    /// The port, if it is given.
    pub port: Option<u16>,
    /// The URI's own parameters.
    pub params: Params,
    /// Headers of the request to be made, still escaped.
    pub headers: Vec<(String, String)>,
}

textual!(Uri);

impl Uri {
    /// `sip:host`, without a user.
    #[must_use]
    pub fn sip_host(host: &str) -> Self {
        Self {
            scheme: Scheme::Sip,
            user: None,
            password: None,
            host: canonical_host(host),
            port: None,
            params: Params::new(),
            headers: Vec::new(),
        }
    }

    /// `sip:user@host`; the user is plain text and escaped here.
    #[must_use]
    pub fn sip(user: &str, host: &str) -> Self {
        let user = Some(escape(user.bytes())).filter(|user| !user.is_empty());
        Self { user, ..Self::sip_host(host) }
    }

    /// With a port.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// With a parameter.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: &str) -> Self {
        self.params.remove(name);
        self.params.add(param_escape(name), Some(param_escape(value)));
        self
    }

    /// Reads a URI, without brackets around it.
    ///
    /// # Errors
    /// It has blanks, no scheme, or no sound host.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let parts = UriText::read(text)?;
        let scheme = Scheme::parse(parts.scheme);
        let is_opaque = matches!(scheme, Scheme::Other(_));
        let host = if is_opaque { parts.host.to_owned() } else { canonical_host(parts.host) };
        let mut params = Params::new();
        for param in parts.params.split(';').filter(|param| !param.is_empty()) {
            let (name, value) = match param.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (param, None),
            };
            params.add(name.to_owned(), value);
        }
        let headers = parts.headers.unwrap_or_default().split('&').filter(|h| !h.is_empty());
        let headers = headers.map(|header| {
            let (name, value) = header.split_once('=').unwrap_or((header, ""));
            (name.to_owned(), value.to_owned())
        });
        Ok(Self {
            scheme,
            user: parts.user.map(|user| escape(unescape(user).into_iter())),
            password: parts.password.map(|password| escape(unescape(password).into_iter())),
            host,
            port: parts.port,
            params,
            headers: headers.collect(),
        })
    }

    /// Whether it asks for security on every hop.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::Sips
    }

    /// Whether it is a `sip` or `sips` URI.
    #[must_use]
    pub const fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// A parameter; empty if it has no value.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name)
    }

    /// The user as plain text: what a person would call it. Bytes that are no UTF-8 are
    /// replaced.
    #[must_use]
    pub fn user_text(&self) -> Option<String> {
        let user = self.user.as_deref()?;
        Some(String::from_utf8_lossy(&unescape(user)).into_owned())
    }

    /// The host as an address, if it is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        ip_of(&self.host)
    }

    /// A header of the request to be made, unescaped.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| String::from_utf8_lossy(&unescape(value)).into_owned())
    }

    /// The URI without what belongs only to one request: headers and a method parameter.
    #[must_use]
    pub fn without_headers(mut self) -> Self {
        self.headers.clear();
        self.params.remove("method");
        self
    }

    /// Whether both mean the same by RFC 3261 19.1.4, with escapes understood.
    #[must_use]
    pub fn is_equivalent(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.user == other.user
            && self.password == other.password
            && self.port == other.port
            && same_host(&self.host, &other.host)
            && self.agrees_in_params(other)
            && same_headers(&self.headers, &other.headers)
    }

    /// A parameter that both have must have one value; `user`, `ttl`, `method`, `maddr` and
    /// `transport` must be in both or in neither.
    fn agrees_in_params(&self, other: &Self) -> bool {
        const STRICT: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
        let value = |uri: &Self, name: &str| {
            uri.params.get(name).map(|value| unescape(value).to_ascii_lowercase())
        };
        let is_shared = |(name, _): (&str, Option<&str>)| {
            let theirs = value(other, name);
            theirs.is_none() || theirs == value(self, name)
        };
        STRICT.iter().all(|name| value(self, name) == value(other, name))
            && self.params.iter().all(is_shared)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme.as_str())?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            if self.is_sip() {
                f.write_str("@")?;
            }
        }
        f.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)?;
        for (at, (name, value)) in self.headers.iter().enumerate() {
            let sign = if at == 0 { '?' } else { '&' };
            write!(f, "{sign}{name}={value}")?;
        }
        Ok(())
    }
}

/// Lower case, brackets where an IPv6 address needs them, two colons for more (RFC 5118 4.10).
fn canonical_host(host: &str) -> String {
    let mut host = host.to_ascii_lowercase();
    if !host.starts_with('[') && host.contains(':') {
        host = format!("[{host}]");
    }
    while host.contains(":::") {
        host = host.replace(":::", "::");
    }
    host
}

pub(super) fn ip_of(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn same_host(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || ip_of(one).is_some_and(|address| ip_of(other) == Some(address))
}

/// Headers must be the same, in any order.
fn same_headers(one: &[(String, String)], other: &[(String, String)]) -> bool {
    let sorted = |headers: &[(String, String)]| {
        let mut plain: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), unescape(value)))
            .collect();
        plain.sort();
        plain
    };
    one.len() == other.len() && sorted(one) == sorted(other)
}

/// RFC 3261 25.1: what may stand in a user without an escape.
const fn is_user_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')')
        || matches!(byte, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/')
}

fn escape(bytes: impl Iterator<Item = u8>) -> String {
    escape_unless(bytes, is_user_byte)
}

/// A parameter's name or value; escapes that it has already are kept.
fn param_escape(text: &str) -> String {
    let is_plain = |byte: u8| {
        is_user_byte(byte) && !matches!(byte, b'=' | b',' | b';' | b'?')
            || matches!(byte, b'[' | b']' | b':' | b'%')
    };
    escape_unless(text.bytes(), is_plain)
}

/// A header's value in a URI, escaped (RFC 3261 19.1.1).
pub(super) fn header_escape(text: &str) -> String {
    let is_plain = |byte: u8| is_user_byte(byte) && !matches!(byte, b'=' | b',' | b';' | b'&');
    escape_unless(text.bytes(), is_plain)
}

fn escape_unless(bytes: impl Iterator<Item = u8>, is_plain: impl Fn(u8) -> bool) -> String {
    const HEX: [u8; 16] = *b"0123456789ABCDEF";
    let mut text = String::new();
    for byte in bytes {
        if is_plain(byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    text
}

/// Undoes escapes; a percent sign that begins none stays.
pub(super) fn unescape(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%'
            && let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2))
        {
            plain.push((high * 16 + low) as u8);
            at += 3;
            continue;
        }
        plain.push(bytes[at]);
        at += 1;
    }
    plain
}
