//! Why a call ended, in the words of SIP (RFC 3326) and of the telephone network (Q.850).

use std::time::Duration;

use super::{Cause, Party};
use crate::message::{Draft, Message, Name};
use crate::value::Reason;

impl Cause {
    /// What a message of the peer tells: a BYE, a CANCEL or a refusal.
    pub(super) fn told(by: Party, message: &Message) -> Self {
        let reason: Vec<Reason> =
            message.headers(Name::Reason).filter_map(|value| value.parse().ok()).collect();
        let elsewhere = reason.iter().any(Reason::is_answered_elsewhere);
        let retry_after = message.number(Name::RetryAfter).map(u64::from).map(Duration::from_secs);
        Self { by, status: message.status(), reason, elsewhere, retry_after }
    }

    pub(super) fn because(by: Party, reason: Option<Reason>) -> Self {
        let elsewhere = reason.as_ref().is_some_and(Reason::is_answered_elsewhere);
        Self { reason: reason.into_iter().collect(), elsewhere, ..Self::by(by) }
    }
}

/// Writes a Reason header.
pub(super) fn write(draft: &mut Draft, reason: Option<&Reason>) {
    if let Some(reason) = reason {
        draft.push(Name::Reason, reason.to_string());
    }
}

/// The final answer for an incoming call that is hung up before it was answered: the status
/// that a SIP reason names, else by the table of RFC 3398 7.2.4.1.
pub(super) fn refusal(reason: Option<&Reason>) -> u16 {
    let Some((reason, cause)) = reason.and_then(|reason| Some((reason, reason.cause?))) else {
        return 480;
    };
    if reason.protocol.eq_ignore_ascii_case("SIP") {
        return if (300..700).contains(&cause) { cause } else { 480 };
    }
    match cause {
        1..=3 => 404,
        17 => 486,
        18 => 408,
        21 | 55 | 57 | 87 => 403,
        22 | 23 => 410,
        26 => 404,
        27 => 502,
        28 => 484,
        29 => 501,
        34 | 38 | 41 | 42 | 47 | 58 | 88 => 503,
        65 | 70 => 488,
        79 => 501,
        102 => 504,
        111 | 127 => 500,
        _ => 480,
    }
}
