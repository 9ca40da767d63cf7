//! What a REFER asks for: a number, or the far end of another dialog (RFC 5589).

use tandem_sip::session::ReferId;
use tandem_sip::value::ReferTo;

use super::Happening;

/// A REFER that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Referral {
    /// The session's number of it.
    pub(crate) id: ReferId,
    /// The number to dial.
    pub(crate) number: String,
    /// The dialog to take over instead: Call-ID and its two tags.
    pub(crate) replaces: Option<(String, String, String)>,
}

/// What Refer-To means for us: the user of its URI is the number.
pub(super) fn parse(id: ReferId, to: &ReferTo) -> Vec<Happening> {
    let number = to.target.uri.user_text().unwrap_or_default();
    let replaces = to.replaces.as_ref();
    let replaces = replaces
        .map(|dialog| (dialog.call_id.clone(), dialog.to_tag.clone(), dialog.from_tag.clone()));
    vec![Happening::Referred(Referral { id, number, replaces })]
}
