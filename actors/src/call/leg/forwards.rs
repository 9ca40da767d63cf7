//! What a leg that is dialled for another one takes over from it: a codec, and how many hops the
//! call may still take.

use tandem_sdp::Codec;
use tandem_sip::message::Message;

use super::SipLeg;

/// What RFC 3261 8.1.1.6 begins with; RFC 3261 16.6 gives it to a request that has none.
const FIRST: u32 = 70;

/// How many hops a leg's INVITE may still take (RFC 3261 20.22). A call that a carrier or another
/// exchange leads back to us ends when none is left (RFC 7332 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MaxForwards(u32);

impl MaxForwards {
    /// Of a call that begins here.
    pub(super) const FIRST: Self = Self(FIRST);

    /// Of an INVITE that came in.
    pub(super) fn of(invite: &Message) -> Self {
        Self(invite.max_forwards().unwrap_or(FIRST + 1))
    }

    /// Of an INVITE that is sent because of this one; none: it may not be sent on (RFC 3261 16.3).
    pub(super) fn next(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

impl std::fmt::Display for MaxForwards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What the INVITE of a leg takes over from the leg that waits for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Inherited {
    /// What the waiting leg speaks, or would like best.
    pub(super) codec: Option<Codec>,
    /// What the INVITE of the waiting leg had; none: nobody's INVITE is behind it.
    forwards: Option<MaxForwards>,
}

impl Inherited {
    /// The value for the INVITE; none: it may not be sent.
    pub(super) fn max_forwards(self) -> Option<MaxForwards> {
        self.forwards.map_or(Some(MaxForwards::FIRST), MaxForwards::next)
    }
}

impl SipLeg {
    /// What a leg that is dialled for this one takes over.
    pub(crate) fn inheritance(&self) -> Inherited {
        Inherited { codec: self.codec(), forwards: Some(self.forwards) }
    }

    /// The codec that was agreed, or that the caller would like best.
    pub(crate) fn codec(&self) -> Option<Codec> {
        self.audio.codec()
    }
}

#[cfg(test)]
mod tests;
