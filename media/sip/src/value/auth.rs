//! Challenges and credentials as they stand in headers (RFC 3261 20.44, RFC 7616 3.3, 3.4).

use std::fmt;

use super::params::{quote, unquote};
use super::{ValueError, textual};
use crate::message::lexis::{closing_quote, is_token};

const BAD: ValueError = ValueError::new("credentials");

/// A scheme with its parameters; values are plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthParams {
    /// `Digest`, `Bearer` or another.
    pub scheme: String,
    params: Vec<(String, String)>,
}

impl AuthParams {
    /// Reads `scheme name=value, name="value"`.
    ///
    /// # Errors
    /// No scheme, or a malformed or doubled parameter.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let (scheme, mut rest) = text.split_at(text.find([' ', '\t']).unwrap_or(text.len()));
        if !is_token(scheme.as_bytes()) {
            return Err(BAD);
        }
        let mut auth = Self { scheme: scheme.to_owned(), params: Vec::new() };
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return Ok(auth);
            }
            let (name, after) = rest.split_once('=').ok_or(BAD)?;
            let after = after.trim_start();
            let end = match after.as_bytes().first() {
                Some(b'"') => closing_quote(after.as_bytes(), 0).ok_or(BAD)? + 1,
                _ => after.find(',').unwrap_or(after.len()),
            };
            let (value, after) = after.split_at(end);
            let name = name.trim();
            let is_fresh = auth.get(name).is_none();
            if !is_token(name.as_bytes()) || !is_fresh {
                return Err(BAD);
            }
            auth.params.push((name.to_owned(), unquote(value.trim())));
            rest = after.trim_start();
            if !rest.is_empty() && !rest.starts_with(',') {
                return Err(BAD);
            }
        }
    }

    /// A parameter, by its name in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }
}

/// A Digest challenge: the value of WWW-Authenticate or Proxy-Authenticate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// For whom the password is.
    pub realm: String,
    /// What the answer must hold.
    pub nonce: String,
    /// To be given back as it is.
    pub opaque: Option<String>,
    /// As it stands; none means MD5.
    pub algorithm: Option<String>,
    /// The offered qualities of protection, in order.
    pub qop: Vec<String>,
    /// The nonce was too old, the password was right.
    pub stale: bool,
}

textual!(Challenge);

impl Challenge {
    /// Reads a Digest challenge.
    ///
    /// # Errors
    /// Another scheme, or no realm or nonce.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let params = digest_params(text)?;
        let qop = params.get("qop").unwrap_or_default().split([',', ' ']);
        Ok(Self {
            realm: params.owned("realm").ok_or(BAD)?,
            nonce: params.owned("nonce").ok_or(BAD)?,
            opaque: params.owned("opaque"),
            algorithm: params.owned("algorithm"),
            qop: qop.filter(|qop| !qop.is_empty()).map(str::to_ascii_lowercase).collect(),
            stale: params.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest realm={}, nonce={}", quote(&self.realm), quote(&self.nonce))?;
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", quote(opaque))?;
        }
        if self.stale {
            f.write_str(", stale=true")?;
        }
        if let Some(algorithm) = &self.algorithm {
            write!(f, ", algorithm={algorithm}")?;
        }
        if self.qop.is_empty() {
            return Ok(());
        }
        write!(f, ", qop=\"{}\"", self.qop.join(","))
    }
}

/// Digest credentials: the value of Authorization or Proxy-Authorization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorization {
    /// Who asks.
    pub username: String,
    /// The realm of the challenge.
    pub realm: String,
    /// The nonce of the challenge.
    pub nonce: String,
    /// The request URI that was meant.
    pub uri: String,
    /// The proof, in hexadecimal.
    pub response: String,
    /// As it stands; none means MD5.
    pub algorithm: Option<String>,
    /// The opaque of the challenge.
    pub opaque: Option<String>,
    /// The chosen quality of protection.
    pub qop: Option<String>,
    /// How often the nonce was used, this time included.
    pub nc: Option<u32>,
    /// The client's own nonce.
    pub cnonce: Option<String>,
}

textual!(Authorization);

impl Authorization {
    /// Reads Digest credentials.
    ///
    /// # Errors
    /// Another scheme, a part is missing, or the nonce count is not eight hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let params = digest_params(text)?;
        let needed = |name| params.owned(name).ok_or(BAD);
        let nc = match params.get("nc") {
            None => None,
            Some(digits) if digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
                u32::from_str_radix(digits, 16).ok()
            }
            Some(_) => return Err(BAD),
        };
        Ok(Self {
            username: needed("username")?,
            realm: needed("realm")?,
            nonce: needed("nonce")?,
            uri: needed("uri")?,
            response: needed("response")?,
            algorithm: params.owned("algorithm"),
            opaque: params.owned("opaque"),
            qop: params.owned("qop"),
            nc,
            cnonce: params.owned("cnonce"),
        })
    }
}

impl fmt::Display for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = [
            ("username", &self.username),
            ("realm", &self.realm),
            ("nonce", &self.nonce),
            ("uri", &self.uri),
            ("response", &self.response),
        ];
        f.write_str("Digest ")?;
        for (at, (name, value)) in quoted.into_iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{name}={}", quote(value))?;
        }
        if let Some(algorithm) = &self.algorithm {
            write!(f, ", algorithm={algorithm}")?;
        }
        if let Some(cnonce) = &self.cnonce {
            write!(f, ", cnonce={}", quote(cnonce))?;
        }
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", quote(opaque))?;
        }
        if let Some(qop) = &self.qop {
            write!(f, ", qop={qop}")?;
        }
        match self.nc {
            Some(nc) => write!(f, ", nc={nc:08x}"),
            None => Ok(()),
        }
    }
}

fn digest_params(text: &str) -> Result<AuthParams, ValueError> {
    let params = AuthParams::parse(text)?;
    if params.scheme.eq_ignore_ascii_case("Digest") { Ok(params) } else { Err(BAD) }
}
