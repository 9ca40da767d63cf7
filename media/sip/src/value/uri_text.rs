//! A URI taken apart without a copy.

use super::ValueError;

const BAD: ValueError = ValueError::new("URI");

/// The parts of a URI, as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UriText<'a> {
    pub(crate) scheme: &'a str,
    pub(crate) user: Option<&'a str>,
    pub(crate) password: Option<&'a str>,
    /// With the brackets of an IPv6 reference; what follows the scheme for schemes that are
    /// neither SIP nor `tel`.
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
    /// From the first semicolon.
    pub(crate) params: &'a str,
    /// Behind the question mark.
    pub(crate) headers: Option<&'a str>,
}

impl<'a> UriText<'a> {
    /// RFC 3261 25.1 and RFC 3966; other schemes are only split from their name.
    pub(crate) fn read(text: &'a str) -> Result<Self, ValueError> {
        // A fold without an early end, so that it is done many bytes at a time.
        let is_out = |byte: u8| {
            (byte <= b' ') | (byte == b'<') | (byte == b'>') | (byte == b'"') | (byte == 0x7f)
        };
        if text.bytes().fold(false, |found, byte| found | is_out(byte)) {
            return Err(BAD);
        }
        let colon = text.bytes().position(|byte| byte == b':').ok_or(BAD)?;
        let (scheme, rest) = (&text[..colon], &text[colon + 1..]);
        let is_scheme_byte =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let starts_well = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
        if !starts_well || !scheme.bytes().all(is_scheme_byte) || rest.is_empty() {
            return Err(BAD);
        }
        if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
            return sip(scheme, rest);
        }
        let (host, password, port, headers) = ("", None, None, None);
        if scheme.eq_ignore_ascii_case("tel") {
            let (user, params) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
            let user = Some(user).filter(|user| !user.is_empty()).ok_or(BAD)?;
            return Ok(Self { scheme, user: Some(user), password, host, port, params, headers });
        }
        Ok(Self { scheme, user: None, password, host: rest, port, params: "", headers })
    }
}

fn sip<'a>(scheme: &'a str, rest: &'a str) -> Result<UriText<'a>, ValueError> {
    let (userinfo, rest) = match memchr::memchr(b'@', rest.as_bytes()) {
        Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
        None => (None, rest),
    };
    let (user, password) = match userinfo {
        None => (None, None),
        Some(info) => match memchr::memchr(b':', info.as_bytes()) {
            Some(at) => (Some(&info[..at]), Some(&info[at + 1..])),
            None => (Some(info), None),
        },
    };
    if user == Some("") {
        return Err(BAD);
    }
    let (rest, headers) = match memchr::memchr(b'?', rest.as_bytes()) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let params_at = memchr::memchr(b';', rest.as_bytes()).unwrap_or(rest.len());
    let (place, params) = rest.split_at(params_at);
    let (host, port) = host_port(place).ok_or(BAD)?;
    Ok(UriText { scheme, user, password, host, port, params, headers })
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`; an IPv6 address needs its brackets (RFC 5118 4.2).
pub(super) fn host_port(text: &str) -> Option<(&str, Option<u16>)> {
    let end = match text.strip_prefix('[') {
        Some(inner) => inner.find(']')? + 2,
        None => memchr::memchr(b':', text.as_bytes()).unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at(end);
    let host = host.trim_ascii_end();
    if !is_host(host) {
        return None;
    }
    let rest = rest.trim_ascii();
    if rest.is_empty() {
        return Some((host, None));
    }
    let port = rest.strip_prefix(':')?.trim_ascii_start();
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { Some((host, Some(port.parse().ok()?))) } else { None }
}

/// A name, an IPv4 address, or an IPv6 reference. Leniently inside the brackets: RFC 5118 4.10
/// wants three colons understood.
fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        let is_v6_byte = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
        let inner = inner.strip_suffix(']').unwrap_or_default();
        return inner.contains(':') && inner.bytes().all(is_v6_byte);
    }
    let is_name_byte =
        |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'.') | (byte == b'_');
    !host.is_empty() && host.bytes().fold(true, |sound, byte| sound & is_name_byte(byte))
}
