//! Why a call's machine refuses a command, in the office's words.

use crate::call::machine::Refused;
use crate::office::Refusal;

pub(super) fn refusal(refused: Refused) -> Refusal {
    let code = match refused {
        Refused::Over => "call-ended",
        Refused::NotConnected => "call-not-connected",
        Refused::NotWaiting => "call-not-waiting",
        Refused::Transferring => "call-transferring",
        Refused::Meeting => "call-meeting",
        Refused::Full => "call-full",
        Refused::Serving => "call-serving",
        Refused::Party => "call-own",
        Refused::NoLeg(_) => "call-leg-unknown",
    };
    Refusal::Conflict { code, detail: refused.to_string() }
}
