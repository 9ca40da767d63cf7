//! A session description as text (RFC 8866): parsed with limits, written in the one right order.
//!
//! Unknown lines and attributes are ignored, as RFC 8866 section 5 asks; what is kept is what
//! audio needs.

use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

use crate::agreement::Direction;

/// The largest description that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// The most lines in one description.
pub const MAX_LINES: usize = 2_000;
/// The most media sections in one description.
pub const MAX_MEDIA: usize = 32;
/// The most payload types in one media section.
pub const MAX_FORMATS: usize = 128;

/// Why a body is not a session description.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SdpError {
    /// More bytes than [`MAX_BYTES`].
    #[error("session description is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// More lines, media sections or formats than their limit.
    #[error("session description has too many {0}")]
    TooMany(&'static str),
    /// Not UTF-8.
    #[error("session description is not UTF-8 text")]
    NotText,
    /// A line that cannot be read; counted from 1.
    #[error("line {line} of the session description is malformed: {why}")]
    Line {
        /// The line's number.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A line that must be there.
    #[error("session description has no {0} line")]
    Missing(&'static str),
}

/// A session description.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description {
    /// `o=`: who made it, and its version.
    pub origin: Origin,
    /// `s=`: the session's name, `-` in telephony.
    pub name: String,
    /// `c=` of the whole session.
    pub connection: Option<Connection>,
    /// The direction of the whole session, if said.
    pub direction: Option<Direction>,
    /// The other attributes of the whole session.
    pub attributes: Vec<Attribute>,
    /// The media sections, in order: their places are the streams' identities (RFC 3264 8).
    pub media: Vec<Media>,
}

/// The `o=` line (RFC 8866 5.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The user name, `-` when there is none.
    pub username: String,
    /// The session's number; text, because peers write more digits than fit.
    pub session_id: String,
    /// The version's number; rises by one with every change (RFC 3264 8).
    pub version: String,
    /// The address of the maker.
    pub connection: Connection,
}

/// A network address, `IN IP4 …` or `IN IP6 …` (RFC 8866 5.7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connection {
    /// The host as written: an address or a name.
    pub host: String,
}

impl Connection {
    /// The connection of an address.
    #[must_use]
    pub fn of(addr: IpAddr) -> Self {
        Self { host: addr.to_string() }
    }

    /// The address, unless the host is a name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Reads `IN IP4 192.0.2.1` (a multicast TTL after `/` is dropped).
    fn parse(value: &str) -> Result<Self, &'static str> {
        let mut words = value.split_ascii_whitespace();
        if words.next() != Some("IN") {
            return Err("network type is not IN");
        }
        if !matches!(words.next(), Some("IP4" | "IP6")) {
            return Err("address type is neither IP4 nor IP6");
        }
        let host = words.next().ok_or("no address")?;
        let host = host.split('/').next().unwrap_or(host);
        if host.is_empty() {
            return Err("no address");
        }
        Ok(Self { host: host.to_owned() })
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = if self.host.contains(':') { "IP6" } else { "IP4" };
        write!(f, "IN {family} {}", self.host)
    }
}

/// One `a=` line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attribute {
    /// What stands before the colon.
    pub name: String,
    /// What stands after the colon, if there is one.
    pub value: Option<String>,
}

impl Attribute {
    /// An attribute without a value.
    #[must_use]
    pub fn flag(name: &str) -> Self {
        Self { name: name.to_owned(), value: None }
    }

    /// An attribute with a value.
    #[must_use]
    pub fn with(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value: Some(value.into()) }
    }
}

/// A media section: an `m=` line and what follows it (RFC 8866 5.14).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Media {
    /// `audio`, `video`, `image`, …
    pub kind: String,
    /// The port; 0 refuses or ends the stream.
    pub port: u16,
    /// The transport, such as `RTP/AVP`.
    pub protocol: String,
    /// The formats as written; payload types for RTP.
    pub formats: Vec<String>,
    /// `c=` of this section.
    pub connection: Option<Connection>,
    /// The direction of this section, if said.
    pub direction: Option<Direction>,
    /// The other attributes, in order.
    pub attributes: Vec<Attribute>,
}

impl Media {
    /// The values of the attributes of a name, in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes
            .iter()
            .filter(move |attribute| attribute.name == name)
            .filter_map(|attribute| attribute.value.as_deref())
    }

    /// Whether an attribute of a name is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|attribute| attribute.name == name)
    }

    /// The value after the payload type of an `a=rtpmap` or `a=fmtp` line.
    #[must_use]
    pub fn mapped<'a>(&'a self, name: &'a str, payload_type: u8) -> Option<&'a str> {
        self.values(name).find_map(|value| {
            let (number, rest) = value.trim().split_once(' ')?;
            (number.parse() == Ok(payload_type)).then_some(rest.trim())
        })
    }
}

impl Description {
    /// The address of a media section: its own, else the session's.
    #[must_use]
    pub fn connection_of<'a>(&'a self, media: &'a Media) -> Option<&'a Connection> {
        media.connection.as_ref().or(self.connection.as_ref())
    }

    /// The direction of a media section: its own, else the session's, else `sendrecv`.
    #[must_use]
    pub fn direction_of(&self, media: &Media) -> Direction {
        media.direction.or(self.direction).unwrap_or_default()
    }
}

/// Reads a session description.
///
/// # Errors
///
/// Says what is wrong; the request that carried it is answered with 400, or 488 for an offer.
pub fn parse(body: &[u8]) -> Result<Description, SdpError> {
    if body.len() > MAX_BYTES {
        return Err(SdpError::TooLong);
    }
    let text = std::str::from_utf8(body).map_err(|_| SdpError::NotText)?;
    let mut reader = Reader::default();
    for (index, line) in text.split('\n').enumerate() {
        if index >= MAX_LINES {
            return Err(SdpError::TooMany("lines"));
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        reader.line(line).map_err(|fault| match fault {
            Fault::Line(why) => SdpError::Line { line: index + 1, why },
            Fault::TooMany(what) => SdpError::TooMany(what),
        })?;
    }
    reader.finish()
}

enum Fault {
    Line(&'static str),
    TooMany(&'static str),
}

impl From<&'static str> for Fault {
    fn from(why: &'static str) -> Self {
        Self::Line(why)
    }
}

#[derive(Default)]
struct Reader {
    versioned: bool,
    origin: Option<Origin>,
    name: Option<String>,
    connection: Option<Connection>,
    direction: Option<Direction>,
    attributes: Vec<Attribute>,
    media: Vec<Media>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), Fault> {
        let Some((kind, value)) = line.split_once('=') else {
            return Err("no equals sign".into());
        };
        if kind.len() != 1 {
            return Err("a line type is one letter".into());
        }
        if value.contains('\0') || value.contains('\r') {
            return Err("control character".into());
        }
        if !self.versioned && kind != "v" {
            return Err("the first line is not v=".into());
        }
        match kind {
            "v" if value.trim() == "0" => self.versioned = true,
            "v" => return Err("the version is not 0".into()),
            "o" => self.origin = Some(read_origin(value)?),
            "s" => self.name = Some(value.to_owned()),
            "c" => {
                let connection = Some(Connection::parse(value)?);
                match self.media.last_mut() {
                    Some(media) => media.connection = connection,
                    None => self.connection = connection,
                }
            }
            "m" => {
                if self.media.len() >= MAX_MEDIA {
                    return Err(Fault::TooMany("media sections"));
                }
                self.media.push(read_media(value)?);
            }
            "a" => self.attribute(value),
            _ => {}
        }
        Ok(())
    }

    fn attribute(&mut self, value: &str) {
        let attribute = match value.split_once(':') {
            Some((name, value)) => Attribute::with(name, value),
            None => Attribute::flag(value.trim_end()),
        };
        let direction =
            attribute.value.is_none().then(|| Direction::of_name(&attribute.name)).flatten();
        match (self.media.last_mut(), direction) {
            (Some(media), Some(direction)) => media.direction = Some(direction),
            (Some(media), None) => media.attributes.push(attribute),
            (None, Some(direction)) => self.direction = Some(direction),
            (None, None) => self.attributes.push(attribute),
        }
    }

    fn finish(self) -> Result<Description, SdpError> {
        if !self.versioned {
            return Err(SdpError::Missing("v="));
        }
        Ok(Description {
            origin: self.origin.ok_or(SdpError::Missing("o="))?,
            // s= is required, but phones that leave it out mean no harm.
            name: self.name.unwrap_or_else(|| "-".to_owned()),
            connection: self.connection,
            direction: self.direction,
            attributes: self.attributes,
            media: self.media,
        })
    }
}

fn read_origin(value: &str) -> Result<Origin, &'static str> {
    let mut words = value.splitn(4, ' ');
    let mut word = || words.next().filter(|word| !word.is_empty());
    let username = word().ok_or("no user name")?.to_owned();
    let session_id = word().ok_or("no session number")?.to_owned();
    let version = word().ok_or("no session version")?.to_owned();
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(&session_id) || !is_number(&version) {
        return Err("session number or version is not numeric");
    }
    let connection = Connection::parse(word().ok_or("no address")?)?;
    Ok(Origin { username, session_id, version, connection })
}

fn read_media(value: &str) -> Result<Media, Fault> {
    let mut words = value.split_ascii_whitespace();
    let kind = words.next().ok_or("no media type")?.to_owned();
    let port = words.next().ok_or("no port")?;
    // A port count (`49170/2`) is layered coding, which audio does not use.
    let port = port.split('/').next().unwrap_or(port);
    let port = port.parse().map_err(|_| "the port is not a number up to 65535")?;
    let protocol = words.next().ok_or("no transport")?.to_owned();
    let formats: Vec<String> = words.map(str::to_owned).collect();
    if formats.is_empty() {
        return Err("no format".into());
    }
    if formats.len() > MAX_FORMATS {
        return Err(Fault::TooMany("formats"));
    }
    Ok(Media {
        kind,
        port,
        protocol,
        formats,
        connection: None,
        direction: None,
        attributes: Vec::new(),
    })
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { username, session_id, version, connection } = &self.origin;
        write!(f, "v=0\r\no={username} {session_id} {version} {connection}\r\n")?;
        write!(f, "s={}\r\n", self.name)?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        f.write_str("t=0 0\r\n")?;
        write_attributes(f, &self.attributes, self.direction)?;
        for media in &self.media {
            write!(f, "m={} {} {}", media.kind, media.port, media.protocol)?;
            for format in &media.formats {
                write!(f, " {format}")?;
            }
            f.write_str("\r\n")?;
            if let Some(connection) = &media.connection {
                write!(f, "c={connection}\r\n")?;
            }
            write_attributes(f, &media.attributes, media.direction)?;
        }
        Ok(())
    }
}

fn write_attributes(
    f: &mut fmt::Formatter<'_>,
    attributes: &[Attribute],
    direction: Option<Direction>,
) -> fmt::Result {
    for attribute in attributes {
        match &attribute.value {
            Some(value) => write!(f, "a={}:{value}\r\n", attribute.name)?,
            None => write!(f, "a={}\r\n", attribute.name)?,
        }
    }
    match direction {
        Some(direction) => write!(f, "a={}\r\n", direction.as_str()),
        None => Ok(()),
    }
}
