//! What a SIP status means for people who do not read RFCs.

/// The meaning of a final status, in plain words.
#[must_use]
pub const fn meaning(status: u16) -> &'static str {
    match status {
        400 => "the request was not understood",
        401 | 407 => "the line asks for other credentials",
        402 => "the line asks for payment",
        403 => "the line refuses the call",
        404 | 604 => "the number does not exist",
        405 => "the line does not take such requests",
        406 | 606 => "the called device can not take such a call",
        408 => "no answer in time",
        410 => "the number is no longer in use",
        413 | 513 => "the request is too large",
        415 | 488 => "no common audio format",
        420 | 421 => "the line needs another protocol extension",
        422 => "the session timer is too short",
        423 => "the interval is too short",
        433 => "anonymous calls are not accepted",
        480 => "not reachable, or nobody answered",
        481 => "the call does not exist any more",
        482 | 483 => "the call goes round in circles",
        484 => "the number is not complete",
        485 => "the number is ambiguous",
        486 | 600 => "busy",
        487 => "given up before the answer",
        491 => "another change of the call is under way",
        493 => "the message can not be decrypted",
        500 => "the line has an internal fault",
        501 => "the line can not do this",
        502 => "the line got a wrong answer from behind it",
        503 => "the line is not available",
        504 => "the line got no answer from behind it",
        505 => "the line speaks another SIP version",
        580 => "a condition for the call could not be met",
        603 => "declined",
        607 | 608 => "rejected as unwanted",
        _ => of_class(status),
    }
}

/// What is known of a status that nobody has named.
const fn of_class(status: u16) -> &'static str {
    match status {
        300..=399 => "the call was sent elsewhere",
        400..=499 => "the line could not take the call",
        500..=599 => "the line failed",
        600..=699 => "the called party does not want the call",
        _ => "ended",
    }
}
