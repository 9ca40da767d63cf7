//! What a REFER asks for: a number, or the far end of another dialog (RFC 5589).

use tandem_sip::session::ReferId;
use tandem_sip::value::{ReferTo, Replaces};

use super::Happening;

/// A REFER that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Referral {
    /// The session's number of it.
    pub(crate) id: ReferId,
    /// The number to dial.
    pub(crate) number: String,
    /// The dialog to take the place of instead.
    pub(crate) replaces: Option<Replaces>,
}

/// What Refer-To means for us: the user of its URI is the number.
pub(super) fn parse(id: ReferId, to: &ReferTo) -> Vec<Happening> {
    let number = to.target.uri.user_text().unwrap_or_default();
    vec![Happening::Referred(Referral { id, number, replaces: to.replaces.clone() })]
}
