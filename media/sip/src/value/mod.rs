//! What header values mean: addresses, Via, dialog references, timers, reasons, credentials.
//!
//! | Concern                                        | Owner                        |
//! |------------------------------------------------|------------------------------|
//! | URIs and their comparison                      | [`Uri`]                      |
//! | Display names and addresses                    | [`NameAddr`]                 |
//! | Via                                            | [`Via`]                      |
//! | Replaces, Refer-To                             | [`Replaces`], [`ReferTo`]    |
//! | Small values                                   | [`CSeq`], [`RAck`], [`Reason`], … |
//! | Challenges and credentials as they stand       | [`Challenge`], [`Authorization`] |
//! | Media types                                    | [`MediaType`]                |
//!
//! `rsip` reads the values that it reads right (media types). The others are read here: rsip
//! drops a URI's headers, cuts parameter values at brackets and quotes, does not know quoted
//! pairs, and has no Replaces, Refer-To, Session-Expires, RAck or Reason. A test holds that
//! both agree wherever rsip understands a value wholly.
//!
//! Invariants: nothing here panics on any text; what `Display` writes, `parse` reads back.

mod address;
mod auth;
mod dialog;
mod media;
mod params;
mod small;
mod timer;
mod uri;
mod uri_text;
mod via;

#[cfg(test)]
mod tests;

pub use address::NameAddr;
pub(crate) use address::{AddressText, address_param};
pub use auth::{AuthParams, Authorization, Challenge};
pub use dialog::{ReferTo, Replaces};
pub use media::MediaType;
pub use params::Params;
pub use small::{CSeq, RAck, Reason};
pub(crate) use small::{clamped_number, cseq_text};
pub use timer::{MinSe, Refresher, SessionExpires};
pub use uri::{Scheme, Uri};
pub(crate) use uri_text::UriText;
pub(crate) use via::ViaText;
pub use via::{Rport, Via};

/// A header value that does not have its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed {what}")]
pub struct ValueError {
    what: &'static str,
}

impl ValueError {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what }
    }

    /// What is malformed.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        self.what
    }
}

/// A value written by its `Display` and read by its `parse`, for files and snapshots too.
macro_rules! textual {
    ($type:ty) => {
        impl std::str::FromStr for $type {
            type Err = $crate::value::ValueError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = $crate::value::ValueError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}
pub(crate) use textual;
