//! Small values: CSeq, RAck, Reason, numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::params::{each, quote, unquote};
use super::{ValueError, textual};
use crate::message::Method;
use crate::message::lexis::is_token;

/// The number and method of a request (RFC 3261 20.16).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// The sequence number.
    pub number: u32,
    /// The method.
    pub method: Method,
}

textual!(CSeq);

impl CSeq {
    /// Reads `number method`.
    ///
    /// # Errors
    /// The number does not fit 32 bits, or there is no method.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let (number, method) = cseq_text(text)?;
        Ok(Self { number, method: Method::parse(method) })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

/// The parts of a CSeq value without a copy.
pub(crate) fn cseq_text(text: &str) -> Result<(u32, &str), ValueError> {
    const BAD: ValueError = ValueError::new("CSeq");
    let text = text.trim_ascii();
    let blank = text.bytes().position(|byte| matches!(byte, b' ' | b'\t')).ok_or(BAD)?;
    let (number, method) = (&text[..blank], text[blank..].trim_ascii_start());
    let number = exact_number(number).ok_or(BAD)?;
    if is_token(method.as_bytes()) { Ok((number, method)) } else { Err(BAD) }
}

/// Which provisional response a PRACK acknowledges (RFC 3262 7.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RAck {
    /// The RSeq of the response.
    pub rseq: u32,
    /// The CSeq number of the response.
    pub cseq: u32,
    /// The CSeq method of the response.
    pub method: Method,
}

textual!(RAck);

impl RAck {
    /// Reads `rseq cseq method`.
    ///
    /// # Errors
    /// It has not these three parts.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        const BAD: ValueError = ValueError::new("RAck");
        let (rseq, cseq) = text.trim_ascii().split_once([' ', '\t']).ok_or(BAD)?;
        let rseq = exact_number(rseq).ok_or(BAD)?;
        let CSeq { number, method } = CSeq::parse(cseq).map_err(|_| BAD)?;
        Ok(Self { rseq, cseq: number, method })
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.rseq, self.cseq, self.method)
    }
}

/// Why a request was made (RFC 3326).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// `SIP`, `Q.850` or another.
    pub protocol: String,
    /// The cause code within the protocol.
    pub cause: Option<u16>,
    /// Words.
    pub text: Option<String>,
}

impl Reason {
    /// A SIP status code as the reason.
    #[must_use]
    pub fn sip(status: u16, text: &str) -> Self {
        Self { protocol: "SIP".to_owned(), cause: Some(status), text: Some(text.to_owned()) }
    }

    /// The call was answered at another phone (RFC 3326 2): a phone lists no missed call.
    #[must_use]
    pub fn elsewhere() -> Self {
        Self::sip(200, "Call completed elsewhere")
    }

    /// A Q.850 cause as the reason.
    #[must_use]
    pub fn q850(cause: u16, text: &str) -> Self {
        Self { protocol: "Q.850".to_owned(), cause: Some(cause), text: Some(text.to_owned()) }
    }

    /// Reads `protocol;cause=n;text="words"`.
    ///
    /// # Errors
    /// There is no protocol, or a parameter is malformed.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        const BAD: ValueError = ValueError::new("Reason");
        let (protocol, params) = text.split_at(text.find(';').unwrap_or(text.len()));
        let protocol = protocol.trim_ascii();
        if !is_token(protocol.as_bytes()) {
            return Err(BAD);
        }
        let mut reason = Self { protocol: protocol.to_owned(), cause: None, text: None };
        for param in each(params) {
            let (name, value) = param?;
            let value = value.unwrap_or_default();
            if name.eq_ignore_ascii_case("cause") {
                reason.cause = value.parse().ok();
            } else if name.eq_ignore_ascii_case("text") {
                reason.text = Some(unquote(value));
            }
        }
        Ok(reason)
    }

    /// Whether the call was answered at another phone of the same person (RFC 3326 2).
    #[must_use]
    pub fn is_answered_elsewhere(&self) -> bool {
        self.protocol.eq_ignore_ascii_case("SIP") && matches!(self.cause, Some(200..=299))
            || self.protocol.eq_ignore_ascii_case("Q.850") && self.cause == Some(26)
    }
}

impl std::str::FromStr for Reason {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.protocol)?;
        if let Some(cause) = self.cause {
            write!(f, ";cause={cause}")?;
        }
        match &self.text {
            Some(text) => write!(f, ";text={}", quote(text)),
            None => Ok(()),
        }
    }
}

/// A number that fits 32 bits, of digits only.
pub(super) fn exact_number(text: &str) -> Option<u32> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits { text.parse().ok() } else { None }
}

/// The digits at the start of a value as a number; too many of them are the largest number
/// (RFC 4475 3.1.2.4). What may follow: parameters or a comment.
pub(crate) fn clamped_number(text: &str) -> Option<u32> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text[digits..].trim_ascii_start();
    if digits == 0 || !(rest.is_empty() || rest.starts_with([';', '('])) {
        return None;
    }
    let add = |sum: u32, digit: u8| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
    Some(text[..digits].bytes().fold(0, add))
}
