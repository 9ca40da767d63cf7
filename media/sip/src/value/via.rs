//! Via (RFC 3261 20.42, RFC 3581).

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::uri::ip_of;
use super::uri_text::host_port;
use super::{Params, ValueError, textual};

const BAD: ValueError = ValueError::new("Via");

/// The `rport` parameter of RFC 3581.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Rport {
    /// Not there.
    #[default]
    Absent,
    /// There without a value: the sender wants to be answered where it sent from.
    Asked,
    /// The port that the request came from.
    Port(u16),
}

/// One hop of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Via {
    /// As it stands: `UDP`, `TCP`, `TLS`, `WS`, `WSS` or anything else.
    pub transport: String,
    /// The host of the sent-by, with the brackets of an IPv6 address.
    pub host: String,
    /// The port of the sent-by, if it is given.
    pub port: Option<u16>,
    /// The transaction's branch.
    pub branch: Option<String>,
    /// RFC 3581.
    pub rport: Rport,
    /// The address that the request came from, with or without brackets (RFC 5118 4.5).
    pub received: Option<IpAddr>,
    /// All other parameters.
    pub params: Params,
}

textual!(Via);

impl Via {
    /// Reads one Via value; blanks may stand around the slashes and the colon.
    ///
    /// # Errors
    /// It has no protocol or sent-by, or a malformed parameter.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let parts = ViaText::read(text)?;
        let mut params = Params::parse(parts.params)?;
        let branch = params.get("branch").filter(|branch| !branch.is_empty()).map(str::to_owned);
        let received = params.get("received").and_then(ip_of);
        let rport = match params.get("rport") {
            None => Rport::Absent,
            Some("") => Rport::Asked,
            Some(port) => Rport::Port(port.parse().map_err(|_| BAD)?),
        };
        params.remove("branch");
        params.remove("rport");
        if received.is_some() {
            params.remove("received");
        }
        Ok(Self {
            transport: parts.transport.to_owned(),
            host: parts.host.to_ascii_lowercase(),
            port: parts.port,
            branch,
            rport,
            received,
            params,
        })
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if let Some(branch) = &self.branch {
            write!(f, ";branch={branch}")?;
        }
        match self.rport {
            Rport::Absent => {}
            Rport::Asked => f.write_str(";rport")?,
            Rport::Port(port) => write!(f, ";rport={port}")?,
        }
        if let Some(received) = self.received {
            write!(f, ";received={received}")?;
        }
        write!(f, "{}", self.params)
    }
}

/// A Via taken apart without a copy.
pub(crate) struct ViaText<'a> {
    transport: &'a str,
    host: &'a str,
    port: Option<u16>,
    pub(crate) params: &'a str,
}

impl<'a> ViaText<'a> {
    pub(crate) fn read(text: &'a str) -> Result<Self, ValueError> {
        let semicolon = memchr::memchr(b';', text.as_bytes()).unwrap_or(text.len());
        let (text, params) = text.split_at(semicolon);
        let mut parts = text.splitn(3, '/');
        let mut part = || parts.next().ok_or(BAD);
        let (protocol, version) = (part()?.trim_ascii(), part()?.trim_ascii());
        if !protocol.eq_ignore_ascii_case("SIP") || version != "2.0" {
            return Err(BAD);
        }
        let rest = part()?.trim_ascii();
        let blank = rest.bytes().position(|byte| matches!(byte, b' ' | b'\t')).ok_or(BAD)?;
        let (transport, sent_by) = rest.split_at(blank);
        let (host, port) = host_port(sent_by.trim_ascii()).ok_or(BAD)?;
        if !crate::message::lexis::is_token(transport.as_bytes()) {
            return Err(BAD);
        }
        Ok(Self { transport, host, port, params })
    }

    /// Whether every parameter is well-formed.
    pub(crate) fn check(&self) -> Result<(), ValueError> {
        super::params::each(self.params).try_for_each(|param| param.map(drop))
    }
}
