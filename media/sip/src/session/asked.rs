//! Requests of ours that wait for a final answer: challenges, lost paths, lost dialogs.

use super::dialog::Dialog;
use super::effect::{Effect, ReferId, RequestRef};
use super::{Cause, Event, Party, Session, State};
use crate::digest::{self, Credentials};
use crate::message::{Draft, Message, Method, Name};
use crate::net::{Target, TxnId};
use crate::value::Challenge;

/// A request of ours under way.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: RequestRef,
    pub(super) txn: Option<TxnId>,
    pub(super) kind: Kind,
    /// Kept to be sent again with credentials or along another path, and for CANCEL and ACK.
    pub(super) draft: Draft,
    pub(super) target: Target,
    pub(super) challenges: u8,
}

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// The one that opens the dialog.
    Invite,
    /// A re-INVITE with an offer.
    Reinvite,
    /// An UPDATE with an offer.
    Update,
    /// A re-INVITE or UPDATE that changes nothing (RFC 4028).
    Refresh,
    Cancel,
    Bye,
    Prack,
    Refer,
    Notify(ReferId),
    Info,
    /// The BYE of a fork that was answered too late.
    ForkBye,
    /// A re-INVITE in whose place another one was sent.
    Superseded,
    /// An INVITE that nothing was heard of, in whose place one was sent along another flow.
    Silent(RequestRef),
    /// The same when it was heard of after all, and cancelled.
    TakenBack(RequestRef),
}

/// How a request ended: by an answer or by what takes its place.
#[derive(Clone, Copy)]
pub(super) struct Outcome<'a> {
    pub(super) status: u16,
    pub(super) by: Party,
    pub(super) answer: Option<&'a Message>,
}

impl Outcome<'_> {
    pub(super) fn cause(&self) -> Cause {
        match self.answer {
            Some(answer) => Cause::told(self.by, answer),
            None => Cause::status(self.by, self.status),
        }
    }

    /// RFC 3261 12.2.1.2: the peer does not know the dialog, or does not answer at all.
    pub(super) const fn is_lost_dialog(&self) -> bool {
        matches!(self.status, 481 | 408)
    }
}

/// A provider asks at most twice: once as a proxy and once as a server.
const MAX_CHALLENGES: u8 = 2;

impl Session {
    pub(super) fn ask(&mut self, kind: Kind, draft: Draft, target: Target) {
        let asked = Asked { id: RequestRef(0), txn: None, kind, draft, target, challenges: 0 };
        self.send(Box::new(asked));
    }

    /// Sends a request within the first dialog.
    pub(super) fn ask_peer(&mut self, kind: Kind, draft: Draft) {
        let Some(target) = self.dialog().and_then(|dialog| dialog.next_hop()) else { return };
        self.ask(kind, draft, target);
    }

    pub(super) fn send(&mut self, mut asked: Box<Asked>) {
        self.next_request += 1;
        asked.id = RequestRef(self.next_request);
        asked.txn = None;
        let (draft, target) = (asked.draft.clone(), asked.target.clone());
        self.out.push(Effect::Request { id: asked.id, draft, target });
        self.asked.push(asked);
    }

    /// A request of the first dialog, with the next CSeq number.
    pub(super) fn draft(&mut self, method: Method) -> Option<Draft> {
        let call_id = std::mem::take(&mut self.call_id);
        let draft = self.dialog().map(|dialog| dialog.request(method, &call_id));
        self.call_id = call_id;
        draft
    }

    pub(super) fn is_asking(&self, kind: Kind) -> bool {
        self.asked.iter().any(|asked| asked.kind == kind)
    }

    pub(super) fn note_sent(&mut self, id: RequestRef, txn: TxnId) {
        if let Some(asked) = self.asked.iter_mut().find(|asked| asked.id == id) {
            asked.txn = Some(txn);
        }
    }

    fn take_asked(&mut self, txn: TxnId) -> Option<Box<Asked>> {
        let at = self.asked.iter().position(|asked| asked.txn == Some(txn))?;
        Some(self.asked.remove(at))
    }

    pub(super) fn response_came(&mut self, txn: TxnId, response: &Message) {
        let status = response.status().unwrap_or(0);
        if status < 200 {
            let Some(at) = self.asked.iter().position(|asked| asked.txn == Some(txn)) else {
                return;
            };
            match self.asked[at].kind {
                Kind::Invite => self.provisional(response),
                Kind::Silent(_) => self.silent_flow_spoke(at),
                _ => {}
            }
            return;
        }
        let Some(asked) = self.take_asked(txn) else {
            self.stray_success(response, status);
            return;
        };
        self.conclude(asked, Outcome { status, by: Party::Remote, answer: Some(response) });
    }

    pub(super) fn request_failed(&mut self, txn: TxnId, by: Party) {
        let Some(mut asked) = self.take_asked(txn) else { return };
        let has_dialog = !matches!(
            asked.kind,
            Kind::Invite | Kind::Silent(_) | Kind::TakenBack(_) | Kind::Cancel | Kind::Superseded
        );
        if by == Party::Transport && has_dialog && asked.target.flow.is_some() {
            // The connection has gone; the peer's Contact may still be reached. The CSeq
            // number is raised, for the request may have arrived.
            asked.target.flow = None;
            if let Some(dialog) = self.dialog() {
                dialog.flow = None;
            }
            self.renumber(&mut asked);
            self.send(asked);
            return;
        }
        let status = if by == Party::Timeout { 408 } else { 503 };
        self.conclude(asked, Outcome { status, by, answer: None });
    }

    fn conclude(&mut self, asked: Box<Asked>, outcome: Outcome<'_>) {
        if asked.kind == Kind::Superseded {
            return self.superseded_concluded(&asked, outcome);
        }
        if let Kind::Silent(_) | Kind::TakenBack(_) = asked.kind {
            return self.silent_concluded(outcome);
        }
        let Some(asked) = self.answer_challenge(asked, outcome) else { return };
        match asked.kind {
            Kind::Invite => self.invite_concluded(*asked, outcome),
            Kind::Reinvite | Kind::Update => self.offer_concluded(*asked, outcome),
            Kind::Refresh => self.refresh_concluded(*asked, outcome),
            Kind::Prack => self.prack_concluded(outcome),
            Kind::Refer => self.refer_concluded(&asked, outcome),
            Kind::Notify(id) => self.notify_concluded(id, outcome),
            Kind::Info if outcome.is_lost_dialog() => self.lost(outcome),
            Kind::Info
            | Kind::Cancel
            | Kind::Bye
            | Kind::ForkBye
            | Kind::Superseded
            | Kind::Silent(_)
            | Kind::TakenBack(_) => {}
        }
    }

    /// Its answer is of no interest: the one to the later offer counts.
    fn superseded_concluded(&mut self, asked: &Asked, outcome: Outcome<'_>) {
        if let (200..=299, Some(answer)) = (outcome.status, outcome.answer) {
            self.acknowledge_invite(asked, answer);
        }
    }

    /// A phone that answered all the same is hung up, like another fork: it is called by the INVITE
    /// that took the place.
    fn silent_concluded(&mut self, outcome: Outcome<'_>) {
        if let Some(answer) = outcome.answer {
            self.stray_success(answer, outcome.status);
        }
    }

    /// RFC 3261 12.2.1.2: the dialog is of no use any more. The BYE is for a peer that still
    /// believes in it.
    pub(super) fn lost(&mut self, outcome: Outcome<'_>) {
        if !matches!(self.state, State::Up) {
            return;
        }
        self.end(outcome.cause());
        self.part(None);
    }

    /// Sends a challenged request again with our credentials (RFC 3261 22.2, RFC 8760); gives
    /// it back if that cannot help.
    fn answer_challenge(
        &mut self,
        mut asked: Box<Asked>,
        outcome: Outcome<'_>,
    ) -> Option<Box<Asked>> {
        let asked_for = outcome.answer.and_then(digest::challenges);
        let Some((header, challenges)) = asked_for else { return Some(asked) };
        // A fresh answer that is challenged again means that the password is wrong.
        let is_refused = asked.draft.header(header).is_some()
            && !challenges.iter().any(|challenge| challenge.stale);
        let is_hopeless = is_refused
            || asked.challenges >= MAX_CHALLENGES
            || matches!(asked.kind, Kind::Cancel | Kind::Prack | Kind::ForkBye)
            || (asked.kind == Kind::Invite && self.is_over);
        let (Some(credentials), false) = (&self.credentials, is_hopeless) else {
            return Some(asked);
        };
        let cnonce = self.chance.cnonce();
        let Some(value) = prove(&challenges, credentials, &asked.draft, 1, &cnonce) else {
            return Some(asked);
        };
        asked.draft.set(header, value);
        asked.challenges += 1;
        self.renumber(&mut asked);
        self.send(asked);
        None
    }

    /// A request that is sent anew has the next CSeq number.
    pub(super) fn renumber(&mut self, asked: &mut Asked) {
        let cseq = match &mut self.state {
            State::Calling(calling) if asked.kind == Kind::Invite => {
                calling.cseq += 1;
                calling.cseq
            }
            _ => {
                let Some(dialog) = self.dialog() else { return };
                dialog.local_cseq += 1;
                dialog.local_cseq
            }
        };
        if asked.kind == Kind::Invite {
            self.dialogs.clear();
        }
        if asked.kind == Kind::Refer {
            self.transfers.rename_sent(ReferId(cseq));
        }
        let method = asked.draft.method().map_or("", Method::as_str);
        let value = format!("{cseq} {method}");
        asked.draft.set(Name::CSeq, value);
    }

    /// Sends a changed request again.
    pub(super) fn send_anew(&mut self, mut asked: Asked) {
        self.renumber(&mut asked);
        self.send(Box::new(asked));
    }

    /// Ends a fork that nobody wants with a BYE of its own.
    pub(super) fn dismiss(&mut self, mut dialog: Dialog) {
        let draft = dialog.request(Method::Bye, &self.call_id);
        if let Some(target) = dialog.next_hop() {
            self.ask(Kind::ForkBye, draft, target);
        }
    }

    pub(super) fn refused_offer(&mut self, status: u16) {
        self.emit(Event::OfferRefused { status });
    }
}

/// The value that answers a challenge of a request.
pub(super) fn prove(
    challenges: &[Challenge],
    credentials: &Credentials,
    request: &Draft,
    nc: u32,
    cnonce: &str,
) -> Option<String> {
    let (method, uri, body) = (request.method()?, request.uri(), request.body());
    let value = digest::answer(challenges, credentials, method, uri, body, nc, cnonce).ok()?;
    Some(value.to_string())
}
