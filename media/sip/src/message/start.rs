//! Start lines (RFC 3261 7.1 and 7.2).

use super::error::Fault;
use super::lines::is_token;
use super::method::Method;

/// A range of the head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Start {
    Request { method: Method, uri: Span },
    Response { status: u16, reason: Span },
}

/// Reads a start line that begins at `at` in the head.
pub(super) fn read(line: &[u8], at: usize) -> Result<Start, Fault> {
    if line.len() >= 4 && line[..4].eq_ignore_ascii_case(b"SIP/") {
        return response(line, at);
    }
    let Some(method_end) = memchr::memchr(b' ', line) else {
        return Err(Fault::bad("No Request-URI"));
    };
    let (method, rest) = (&line[..method_end], &line[method_end + 1..]);
    let Some(uri_length) = memchr::memchr(b' ', rest) else {
        return Err(Fault::bad("No SIP-Version"));
    };
    let version = &rest[uri_length + 1..];
    if !is_token(method) {
        return Err(Fault::bad("Malformed method"));
    }
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        return Err(wrong_version(version));
    }
    if uri_length == 0 {
        return Err(Fault::bad("Extra space in Request-Line"));
    }
    let method = Method::parse(std::str::from_utf8(method).unwrap_or_default());
    let uri_at = at + method_end + 1;
    Ok(Start::Request { method, uri: Span::new(uri_at, uri_at + uri_length) })
}

/// 505 for another version of SIP, 400 for what is none (RFC 4475 3.1.2.8, 3.1.2.10, 3.1.2.16).
fn wrong_version(text: &[u8]) -> Fault {
    let number = match text.get(..4) {
        Some(start) if start.eq_ignore_ascii_case(b"SIP/") => &text[4..],
        _ => return Fault::bad("Malformed Request-Line"),
    };
    let is_number = number.contains(&b'.')
        && number.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
        && number.first() != Some(&b'.');
    if is_number && number != b"2.0" {
        return Fault { status: 505, reason: "Version Not Supported" };
    }
    Fault::bad("Malformed Request-Line")
}

fn response(line: &[u8], at: usize) -> Result<Start, Fault> {
    const BAD: Fault = Fault::bad("Malformed Status-Line");
    let rest = match line.get(..8) {
        Some(start) if start.eq_ignore_ascii_case(b"SIP/2.0 ") => &line[8..],
        _ => return Err(BAD),
    };
    let digits = rest.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit));
    let status = digits.ok_or(BAD)?.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    let reason_at = match rest.get(3) {
        None => at + line.len(),
        Some(b' ') => at + 12,
        Some(_) => return Err(BAD),
    };
    if !(100..700).contains(&status) {
        return Err(BAD);
    }
    Ok(Start::Response { status, reason: Span::new(reason_at, at + line.len()) })
}
