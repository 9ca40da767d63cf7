//! Session timers (RFC 4028).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::small::clamped_number;
use super::{Params, ValueError, textual};

/// Who refreshes the session, by the roles in the request that carries the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Refresher {
    /// The one that sent the request.
    Uac,
    /// The one that answers it.
    Uas,
}

/// How long a session lasts without a refresh (RFC 4028 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionExpires {
    /// Seconds.
    pub seconds: u32,
    /// Who refreshes, if that is settled.
    pub refresher: Option<Refresher>,
}

textual!(SessionExpires);

impl SessionExpires {
    /// Reads `seconds;refresher=uac`. A refresher that is neither is taken as not given.
    ///
    /// # Errors
    /// No number, or a malformed parameter.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let seconds = clamped_number(text).ok_or(ValueError::new("Session-Expires"))?;
        let params = Params::parse(&text[text.find(';').unwrap_or(text.len())..])?;
        let refresher = match params.get("refresher") {
            Some(role) if role.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(role) if role.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            Some(_) | None => None,
        };
        Ok(Self { seconds, refresher })
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seconds)?;
        match self.refresher {
            Some(Refresher::Uac) => f.write_str(";refresher=uac"),
            Some(Refresher::Uas) => f.write_str(";refresher=uas"),
            None => Ok(()),
        }
    }
}

/// The shortest session interval that somebody accepts (RFC 4028 5), in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MinSe(pub u32);

textual!(MinSe);

impl MinSe {
    /// Reads a number of seconds.
    ///
    /// # Errors
    /// It is no number.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        clamped_number(text).map(Self).ok_or(ValueError::new("Min-SE"))
    }
}

impl fmt::Display for MinSe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
