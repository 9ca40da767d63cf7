//! The topmost Via: reading it without a copy, and RFC 3581 marks on the way back.

use std::net::{IpAddr, SocketAddr};

use crate::message::{Draft, Name};

/// What matching and answering need of a Via value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ViaView<'a> {
    pub(crate) transport: &'a str,
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
    pub(crate) branch: Option<&'a str>,
    /// The sender asks for an answer to the port that it sent from (RFC 3581).
    pub(crate) rport: bool,
    /// The sender takes requests on this connection (RFC 5923).
    pub(crate) alias: bool,
}

impl<'a> ViaView<'a> {
    /// Reads one Via value; `None` if it has no protocol or no sent-by.
    pub(crate) fn read(value: &'a str) -> Option<Self> {
        let mut params = value.split(';');
        let (transport, sent_by) = protocol(params.next()?)?;
        let (host, port) = sent_by_parts(sent_by)?;
        let mut view = Self { transport, host, port, branch: None, rport: false, alias: false };
        for param in params {
            let (name, given) = param.split_once('=').unwrap_or((param, ""));
            let name = name.trim();
            if name.eq_ignore_ascii_case("branch") {
                view.branch = Some(given.trim());
            } else if name.eq_ignore_ascii_case("rport") {
                view.rport = true;
            } else if name.eq_ignore_ascii_case("alias") {
                view.alias = true;
            }
        }
        Some(view)
    }

    /// The address of the sent-by, if it is a literal.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }
}

/// The parameter that names the member of a cluster whose request it is, where another one's
/// connection carries it. Whoever answers repeats it with the rest of the Via (RFC 3261 8.2.6.2).
pub(crate) const MEMBER: &str = "member";

/// Whose request an answer is to, if the Via names a member.
pub(crate) fn member(value: &str) -> Option<u64> {
    let params = value.split(';').skip(1).filter_map(|param| param.split_once('='));
    let named = |(name, given): (&str, &str)| (name.trim() == MEMBER).then(|| given.trim().parse());
    params.filter_map(named).next()?.ok()
}

/// `SIP / 2.0 / UDP host:port` to the transport and the sent-by.
fn protocol(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once('/')?;
    let (_, rest) = rest.split_once('/')?;
    let rest = rest.trim_start();
    let end = rest.find([' ', '\t'])?;
    let sent_by = rest[end..].trim();
    (!sent_by.is_empty()).then_some((&rest[..end], sent_by))
}

fn sent_by_parts(text: &str) -> Option<(&str, Option<u16>)> {
    let host_end = match text.strip_prefix('[') {
        Some(inner) => inner.find(']')? + 2,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at(host_end);
    let host = host.trim_end();
    if host.is_empty() {
        return None;
    }
    let Some(port) = rest.trim_start().strip_prefix(':') else { return Some((host, None)) };
    port.trim().parse().ok().map(|port| (host, Some(port)))
}

/// RFC 3261 18.2.1 and RFC 3581 4: `received` if the sent-by is not the source, and the source
/// port where `rport` asks for it. Marks that the sender wrote itself are replaced.
pub(crate) fn stamp(value: &str, source: SocketAddr) -> String {
    let ip = source.ip().to_canonical();
    let view = ViaView::read(value);
    let rport = view.is_some_and(|v| v.rport);
    let honest = view.and_then(|v| v.ip()).is_some_and(|given| given.to_canonical() == ip);
    let mut stamped = String::with_capacity(value.len() + 48);
    for (at, part) in value.split(';').enumerate() {
        let name = part.split('=').next().unwrap_or("").trim();
        let mark = name.eq_ignore_ascii_case("received") || name.eq_ignore_ascii_case("rport");
        if at > 0 && mark {
            continue;
        }
        if at > 0 {
            stamped.push(';');
        }
        stamped.push_str(part);
    }
    if rport {
        stamped.push_str(&format!(";rport={}", source.port()));
    }
    if rport || !honest {
        stamped.push_str(&format!(";received={ip}"));
    }
    stamped
}

/// Stamps the top Via of an answer with where its request came from.
pub(crate) fn stamp_draft(draft: &mut Draft, source: SocketAddr) {
    let values: Vec<String> = draft.headers(Name::Via).map(str::to_owned).collect();
    let Some((top, rest)) = values.split_first() else { return };
    let stamped = stamp(top, source);
    if stamped == *top {
        return;
    }
    draft.remove(Name::Via);
    for value in rest.iter().rev() {
        draft.push_front(Name::Via, value.as_str());
    }
    draft.push_front(Name::Via, stamped);
}
