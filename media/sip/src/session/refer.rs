//! Transfers: REFER and the NOTIFYs that tell how it goes (RFC 3515, 5589, 4488), both sides.

use std::time::Duration;

use smallvec::SmallVec;

use super::asked::{Asked, Kind, Outcome};
use super::dialog::content_type;
use super::effect::{ReferId, Refused};
use super::timer::Timer;
use super::{Event, Session, State};
use crate::message::{Message, Method, Name, reason_phrase};
use crate::net::{Inbound, TxnId};
use crate::value::{NameAddr, ReferTo, Replaces, Uri};

/// How long a transfer may take until its last word (RFC 3515 2.4.4: the refer subscription).
const LIFETIME: Duration = Duration::from_secs(180);
/// Transfers that a peer may have under way at once.
const MAX_RECEIVED: usize = 4;

/// The transfers of one session.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    /// The one that we asked for.
    sent: Option<ReferId>,
    /// Those that the peer asked for.
    received: SmallVec<[Box<Received>; 1]>,
}

#[derive(Debug)]
struct Received {
    id: ReferId,
    /// The REFER, until it is answered.
    asked: Option<(TxnId, Message)>,
    /// RFC 4488: the peer wants to hear nothing more.
    is_silent: bool,
    /// What is to be told once the NOTIFY under way is answered, so that none overtakes
    /// another: the status and whether it is the last word.
    next: Option<(u16, bool)>,
}

impl Transfers {
    /// The REFER was sent again with another CSeq number.
    pub(super) fn rename_sent(&mut self, id: ReferId) {
        self.sent = Some(id);
    }

    fn received(&mut self, id: ReferId) -> Option<&mut Received> {
        self.received.iter_mut().find(|known| known.id == id).map(|known| &mut **known)
    }

    fn forget(&mut self, id: ReferId) {
        self.received.retain(|known| known.id != id);
    }
}

impl Session {
    /// The owner wants the peer to call somebody.
    pub(super) fn refer(
        &mut self,
        to: &str,
        replaces: Option<&str>,
        referred_by: Option<String>,
    ) -> Result<(), Refused> {
        if !matches!(self.state, State::Up) || self.transfers.sent.is_some() {
            return Err(Refused::NotNow);
        }
        if self.dialog().is_some_and(|dialog| !dialog.allows.refer) {
            return Err(Refused::Unsupported);
        }
        let target = Uri::parse(to).map_err(|_| Refused::BadTarget)?;
        let replaces = replaces.map(Replaces::parse).transpose().map_err(|_| Refused::BadTarget)?;
        let refer_to = ReferTo { target: NameAddr::new(target), replaces };
        let mut draft = self.draft(Method::Refer).ok_or(Refused::NotNow)?;
        let id = ReferId(self.dialog().map_or(0, |dialog| dialog.local_cseq));
        draft.push(Name::ReferTo, refer_to.to_string());
        if let Some(by) = referred_by {
            draft.push(Name::ReferredBy, by);
        }
        self.identity.sign(&mut draft);
        self.transfers.sent = Some(id);
        self.ask_peer(Kind::Refer, draft);
        Ok(())
    }

    pub(super) fn refer_concluded(&mut self, asked: &Asked, outcome: Outcome<'_>) {
        if outcome.is_lost_dialog() {
            return self.lost(outcome);
        }
        let (status, is_accepted) = (outcome.status, outcome.status < 300);
        let is_silent = outcome
            .answer
            .and_then(|answer| answer.header(Name::ReferSub))
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
        // A NOTIFY with the last word may have come before the answer.
        let Some(id) = self.transfers.sent else { return };
        debug_assert_eq!(asked.kind, Kind::Refer);
        if !is_accepted || is_silent {
            self.transfers.sent = None;
        } else {
            self.arm(Timer::Transfer(id), LIFETIME);
        }
        self.emit(Event::ReferStatus { status, is_final: !is_accepted || is_silent });
    }

    /// A transfer has been silent for too long.
    pub(super) fn transfer_overdue(&mut self, id: ReferId) {
        if self.transfers.sent == Some(id) {
            self.transfers.sent = None;
            self.emit(Event::ReferStatus { status: 408, is_final: true });
        }
    }

    /// A NOTIFY of the peer: how our transfer goes.
    pub(super) fn notify_came(&mut self, inbound: &Inbound) {
        let request = &inbound.request;
        let event = request.header(Name::Event).unwrap_or_default();
        let mut parts = event.split(';').map(str::trim);
        if !parts.next().is_some_and(|package| package.eq_ignore_ascii_case("refer")) {
            return self.refuse(inbound, 489);
        }
        let given = parts.find_map(|part| part.strip_prefix("id=")?.parse::<u32>().ok());
        let sent = self.transfers.sent.filter(|sent| given.is_none_or(|given| given == sent.0));
        let Some(id) = sent else { return self.refuse(inbound, 481) };
        self.refuse(inbound, 200);
        let state = request.header(Name::SubscriptionState).unwrap_or_default();
        let is_over = state.trim_start().to_ascii_lowercase().starts_with("terminated");
        let Some(status) = fragment_status(request) else {
            if is_over {
                self.transfer_overdue(id);
            }
            return;
        };
        let is_final = is_over || status >= 200;
        if is_final {
            self.transfers.sent = None;
            self.disarm(Timer::Transfer(id));
        } else {
            self.arm(Timer::Transfer(id), LIFETIME);
        }
        self.emit(Event::ReferStatus { status, is_final });
    }

    /// The peer wants us to call somebody.
    pub(super) fn refer_came(&mut self, inbound: &Inbound) {
        let request = &inbound.request;
        if !matches!(self.state, State::Up) {
            return self.refuse(inbound, 403);
        }
        let mut targets = request.headers(Name::ReferTo);
        let target = targets.next().and_then(|value| ReferTo::parse(value).ok());
        let (Some(to), None, Ok((cseq, _))) = (target, targets.next(), request.cseq()) else {
            return self.refuse(inbound, 400);
        };
        if self.transfers.received.len() >= MAX_RECEIVED {
            return self.refuse(inbound, 491);
        }
        let id = ReferId(cseq);
        let is_silent = request
            .header(Name::ReferSub)
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
        let referred_by = request.header(Name::ReferredBy).map(str::to_owned);
        let asked = Some((inbound.txn, request.clone()));
        self.transfers.received.push(Box::new(Received { id, asked, is_silent, next: None }));
        self.emit(Event::Referred { id, to: Box::new(to), referred_by });
    }

    pub(super) fn accept_refer(&mut self, id: ReferId) -> Result<(), Refused> {
        let known = self.transfers.received(id).ok_or(Refused::UnknownRefer)?;
        let (txn, request) = known.asked.take().ok_or(Refused::NotNow)?;
        let is_silent = known.is_silent;
        let mut draft = self.reply(&request, 202);
        self.identity.sign(&mut draft);
        if is_silent {
            draft.push(Name::ReferSub, "false");
            self.transfers.forget(id);
        }
        self.respond(txn, draft);
        if !is_silent {
            self.notify(id, 100, false);
        }
        Ok(())
    }

    pub(super) fn refuse_refer(&mut self, id: ReferId, status: u16) -> Result<(), Refused> {
        if !(300..700).contains(&status) {
            return Err(Refused::BadStatus);
        }
        let known = self.transfers.received(id).ok_or(Refused::UnknownRefer)?;
        let (txn, request) = known.asked.take().ok_or(Refused::NotNow)?;
        self.transfers.forget(id);
        let draft = self.reply(&request, status);
        self.respond(txn, draft);
        Ok(())
    }

    pub(super) fn refer_progress(
        &mut self,
        id: ReferId,
        status: u16,
        is_final: bool,
    ) -> Result<(), Refused> {
        if !(100..700).contains(&status) {
            return Err(Refused::BadStatus);
        }
        let is_telling = self.is_asking(Kind::Notify(id));
        let known = self.transfers.received(id).ok_or(Refused::UnknownRefer)?;
        if known.asked.is_some() || known.next.is_some_and(|(_, is_final)| is_final) {
            return Err(Refused::NotNow);
        }
        if is_telling {
            known.next = Some((status, is_final));
            return Ok(());
        }
        self.notify(id, status, is_final);
        Ok(())
    }

    /// How a transfer ended is said before goodbye, also while a NOTIFY is under way: behind a BYE
    /// there is no dialog to say it in.
    pub(super) fn tell_last_words(&mut self) {
        let received = self.transfers.received.iter();
        let words: SmallVec<[_; 1]> = received.map(|known| (known.id, known.next)).collect();
        for (id, next) in words {
            if let Some((status, true)) = next {
                self.notify(id, status, true);
            }
        }
    }

    fn notify(&mut self, id: ReferId, status: u16, is_final: bool) {
        let Some(mut draft) = self.draft(Method::Notify) else { return };
        draft.push(Name::Event, format!("refer;id={}", id.0));
        let state = if is_final {
            "terminated;reason=noresource".to_owned()
        } else {
            format!("active;expires={}", LIFETIME.as_secs())
        };
        draft.push(Name::SubscriptionState, state);
        self.identity.sign(&mut draft);
        if is_final {
            self.transfers.forget(id);
        }
        let draft = draft.with_body("message/sipfrag;version=2.0", fragment(status));
        self.ask_peer(Kind::Notify(id), draft);
    }

    /// A NOTIFY was answered: the next one may go. A refusal ends the subscription and nothing
    /// else (RFC 5057 5.1).
    pub(super) fn notify_concluded(&mut self, id: ReferId, outcome: Outcome<'_>) {
        if outcome.status >= 300 {
            return self.transfers.forget(id);
        }
        let next = self.transfers.received(id).and_then(|known| known.next.take());
        if let Some((status, is_final)) = next {
            self.notify(id, status, is_final);
        }
    }

    /// The session ends before a REFER was answered.
    pub(super) fn abandon_transfers(&mut self) {
        for known in std::mem::take(&mut self.transfers.received) {
            if let Some((txn, request)) = known.asked {
                let draft = self.reply(&request, 603);
                self.respond(txn, draft);
            }
        }
        self.transfers.sent = None;
    }
}

/// The body of a NOTIFY: the start of the answer that the new call has had (RFC 3420).
fn fragment(status: u16) -> String {
    format!("SIP/2.0 {status} {}\r\n", reason_phrase(status))
}

fn fragment_status(request: &Message) -> Option<u16> {
    if content_type(request).is_some_and(|kind| kind != "message/sipfrag") {
        return None;
    }
    let body = std::str::from_utf8(request.body()).ok()?;
    let rest = body.trim_start().strip_prefix("SIP/2.0 ")?;
    let status = rest.get(..3)?.parse().ok()?;
    (100..700).contains(&status).then_some(status)
}
