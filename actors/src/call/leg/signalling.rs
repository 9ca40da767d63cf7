//! How a leg is spoken with: by SIP, or by the phone in a browser that it rings at.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ractor::ActorRef;
use tandem_kernel::LegId;
use tandem_sip::session::{Command, Effect, Input, Refused, Session, Snapshot};

use crate::call::message::CallMsg;
use crate::softphone::{LegWish, PhoneMsg};

/// The next number of a call on a phone.
static LINES: AtomicU64 = AtomicU64::new(1);

/// A leg's far side. Both kinds take the same commands and tell the same events.
pub(super) enum Signalling {
    /// A phone or a trunk.
    Sip(Box<Session>),
    /// A browser.
    Browser(BrowserLine),
}

/// A leg's end at the phone in a browser.
pub(super) struct BrowserLine {
    pub(super) line: u64,
    id: LegId,
    call: ActorRef<CallMsg>,
    phone: ActorRef<PhoneMsg>,
    is_over: bool,
}

impl BrowserLine {
    pub(super) fn new(id: LegId, call: ActorRef<CallMsg>, phone: ActorRef<PhoneMsg>) -> Self {
        let line = LINES.fetch_add(1, Ordering::Relaxed);
        Self { line, id, call, phone, is_over: false }
    }

    fn command(&mut self, command: Command) -> Result<Vec<Effect>, Refused> {
        if self.is_over {
            return Err(Refused::Ended);
        }
        let wish = match command {
            Command::HangUp { .. } | Command::Reject { .. } => {
                self.is_over = true;
                self.tell(LegWish::End);
                return Ok(vec![Effect::Closed]);
            }
            Command::Offer { sdp } => LegWish::Offer { id: self.id, call: self.call.clone(), sdp },
            Command::AnswerOffer { sdp } => LegWish::Accept(sdp),
            Command::ReferProgress { status, is_final: true, .. } if status >= 300 => {
                LegWish::Transfer { status }
            }
            // Said to callers, or of no consequence for a page.
            _ => return Ok(Vec::new()),
        };
        self.tell(wish);
        Ok(Vec::new())
    }

    fn tell(&self, wish: LegWish) {
        // A phone that is gone has told its calls so.
        let _gone = self.phone.cast(PhoneMsg::Leg { line: self.line, wish });
    }
}

impl Drop for BrowserLine {
    /// A call that crashes leaves no call on the phone.
    fn drop(&mut self) {
        if !self.is_over {
            self.tell(LegWish::End);
        }
    }
}

impl Signalling {
    /// See [`Session::step`].
    pub(super) fn step(&mut self, now: Instant, input: Input) -> Result<Vec<Effect>, Refused> {
        match (self, input) {
            (Self::Sip(session), input) => session.step(now, input),
            (Self::Browser(line), Input::Command(command)) => line.command(command),
            (Self::Browser(_), _) => Err(Refused::NotNow),
        }
    }

    /// What of it outlives the node: of a browser's line nothing.
    pub(super) fn snapshot(&self) -> Option<Snapshot> {
        match self {
            Self::Sip(session) => session.snapshot(),
            Self::Browser(_) => None,
        }
    }

    /// The dialogs' Call-IDs and local tags.
    pub(super) fn dialogs(&self) -> Vec<(String, String)> {
        match self {
            Self::Sip(session) => session
                .dialog_ids()
                .map(|(call_id, local, _)| (call_id.to_owned(), local.to_owned()))
                .collect(),
            Self::Browser(_) => Vec::new(),
        }
    }

    /// The leg is in another call now.
    pub(super) fn moved(&mut self, id: LegId, call: &ActorRef<CallMsg>) {
        if let Self::Browser(line) = self {
            line.id = id;
            line.call = call.clone();
        }
    }

    /// The far side has ended it.
    pub(super) fn over(&mut self) {
        if let Self::Browser(line) = self {
            line.is_over = true;
        }
    }

    /// Whether an event of a phone is for this leg: it may have been another's.
    pub(super) fn is_line(&self, number: u64) -> bool {
        matches!(self, Self::Browser(line) if line.line == number)
    }
}
