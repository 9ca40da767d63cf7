//! References to dialogs: Replaces (RFC 3891) and Refer-To (RFC 3515, RFC 5589).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::uri::header_escape;
use super::{NameAddr, Params, ValueError, textual};

/// The dialog that an INVITE is to take the place of (RFC 3891 6.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Replaces {
    /// The dialog's Call-ID.
    pub call_id: String,
    /// The tag of whoever receives this: its local tag.
    pub to_tag: String,
    /// The tag of its peer.
    pub from_tag: String,
    /// Only a dialog that is not answered yet.
    pub early_only: bool,
}

textual!(Replaces);

impl Replaces {
    /// Reads `call-id;to-tag=a;from-tag=b`.
    ///
    /// # Errors
    /// A part is missing.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        const BAD: ValueError = ValueError::new("Replaces");
        let (call_id, params) = text.split_at(text.find(';').ok_or(BAD)?);
        let params = Params::parse(params)?;
        let tag = |name| params.get(name).filter(|tag| !tag.is_empty()).ok_or(BAD);
        let call_id = call_id.trim();
        if call_id.is_empty() || call_id.contains([' ', '\t']) {
            return Err(BAD);
        }
        Ok(Self {
            call_id: call_id.to_owned(),
            to_tag: tag("to-tag")?.to_owned(),
            from_tag: tag("from-tag")?.to_owned(),
            early_only: params.has("early-only"),
        })
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call_id, to_tag, from_tag, early_only } = self;
        write!(f, "{call_id};to-tag={to_tag};from-tag={from_tag}")?;
        if *early_only { f.write_str(";early-only") } else { Ok(()) }
    }
}

/// Where a REFER sends its receiver.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReferTo {
    /// The address without the Replaces header.
    pub target: NameAddr,
    /// The dialog to take the place of: an attended transfer.
    pub replaces: Option<Replaces>,
}

textual!(ReferTo);

impl ReferTo {
    /// Reads an address, and the Replaces that its URI may hold.
    ///
    /// # Errors
    /// The address or the Replaces is malformed.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let mut target = NameAddr::parse(text)?;
        let replaces = target.uri.header("Replaces").map(|text| Replaces::parse(&text));
        target.uri.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("Replaces"));
        Ok(Self { target, replaces: replaces.transpose()? })
    }

    /// The method that is asked for: INVITE unless the URI says otherwise (RFC 3515 2.1).
    #[must_use]
    pub fn method(&self) -> &str {
        self.target.uri.param("method").filter(|method| !method.is_empty()).unwrap_or("INVITE")
    }
}

impl fmt::Display for ReferTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut target = self.target.clone();
        if let Some(replaces) = &self.replaces {
            let value = header_escape(&replaces.to_string());
            target.uri.headers.push(("Replaces".to_owned(), value));
        }
        write!(f, "{target}")
    }
}
