//! What attempts that came to nothing mean: for the next line, the caller and the record.

use super::types::{LegEnd, Party};

/// The SIP status and the Q.850 cause that tell the caller what became of the call
/// (RFC 3398 7.2.4.1, 8.2.6.1).
pub(super) fn verdict(end: &LegEnd, heard: bool, is_for_phones: bool) -> (u16, u16) {
    match end.status {
        // It rang, and nobody came.
        Some(408) if !end.by_party && heard => (480, 19),
        Some(status) => (status, q850(status)),
        // No phone could be reached at all: subscriber absent.
        None if is_for_phones => (480, 20),
        None => (503, 41),
    }
}

/// True when another line would not help: the called party itself decided, or a call from outside
/// goes in a circle. If it tried two lines each time that it comes by, it would come by twice as
/// often with every hop (RFC 5393 3). The next carrier may know a straight way for an own phone.
pub(super) fn is_final(end: &LegEnd, caller: &Party) -> bool {
    match end.status {
        Some(404 | 410 | 480 | 484 | 486 | 487 | 600 | 603 | 604 | 606) => true,
        Some(482 | 483) => caller.extension().is_none(),
        _ => false,
    }
}

/// Which of several failures the caller is told (RFC 3261 16.7, step 6, in short).
pub(super) fn weight(end: &LegEnd) -> u8 {
    match end.status {
        Some(600..=699) => 5,
        Some(486) => 4,
        Some(403..=499) => 3,
        Some(_) => 2,
        None => 1,
    }
}

/// The record's outcome code for a call that nobody answered.
pub(super) fn outcome(status: u16) -> &'static str {
    match status {
        486 | 600 => "busy",
        408 | 480 | 487 => "no_answer",
        403 | 603 => "rejected",
        _ => "failed",
    }
}

/// The Q.850 cause that says the same as a SIP status (RFC 4497 appendix, the usual table).
#[must_use]
pub fn q850(status: u16) -> u16 {
    match status {
        404 | 485 | 604 => 1,
        486 | 600 => 17,
        408 => 18,
        480 => 19,
        403 | 603 => 21,
        410 => 22,
        482 | 483 => 25,
        484 => 28,
        488 | 606 => 88,
        500 | 503 => 41,
        502 => 38,
        504 => 102,
        _ => 31,
    }
}
