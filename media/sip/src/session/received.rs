//! Requests of the peer within the dialog (RFC 3261 12.2.2).

use super::dialog::{direct_flow, not_understood};
use super::{Cause, Party, Session, State};
use crate::message::{Draft, Message, Method, Name};
use crate::net::Inbound;

impl Session {
    pub(super) fn request_came(&mut self, inbound: &Inbound) {
        let request = &inbound.request;
        let Some(method) = request.method() else { return };
        let is_up = matches!(self.state, State::Calling(_) | State::Called(_) | State::Up);
        let tag = request.from_tag().unwrap_or_default();
        if self.dialog_with(tag).is_none() || !is_up {
            // Two BYEs that cross are both right (RFC 5407 3.1.4).
            let is_bye = method == Method::Bye && matches!(self.state, State::Ending);
            return self.refuse(inbound, if is_bye { 200 } else { 481 });
        }
        let Ok((cseq, _)) = request.cseq() else { return self.refuse(inbound, 400) };
        if !self.is_in_order(tag, cseq) {
            return self.refuse(inbound, 500);
        }
        let unknown = not_understood(request);
        if !unknown.is_empty() {
            let draft = self.reply(request, 420).with(Name::Unsupported, unknown.join(", "));
            return self.respond(inbound.txn, draft);
        }
        self.follow(inbound, tag);
        if self.is_over && method != Method::Bye {
            return self.refuse(inbound, 481);
        }
        match method {
            Method::Bye => self.bye_came(inbound),
            Method::Invite => self.reinvite_came(inbound),
            Method::Update => self.update_came(inbound),
            Method::Prack => self.prack_came(inbound),
            Method::Info => self.info_came(inbound),
            Method::Refer => self.refer_came(inbound),
            Method::Notify => self.notify_came(inbound),
            Method::Options => {
                let mut draft = self.reply(request, 200).with(Name::Accept, "application/sdp");
                self.identity.sign(&mut draft);
                self.respond(inbound.txn, draft);
            }
            Method::Ack | Method::Cancel => {}
            Method::Message | Method::Publish | Method::Register | Method::Subscribe => {
                let allow = self.identity.allow.clone();
                let draft = self.reply(request, 405).with(Name::Allow, allow);
                self.respond(inbound.txn, draft);
            }
            Method::Other(_) => self.refuse(inbound, 501),
        }
    }

    /// 12.2.2: CSeq numbers only rise.
    fn is_in_order(&mut self, tag: &str, cseq: u32) -> bool {
        let Some(dialog) = self.dialog_with(tag) else { return false };
        if dialog.remote_cseq.is_some_and(|last| cseq <= last) {
            return false;
        }
        dialog.remote_cseq = Some(cseq);
        true
    }

    /// A phone that changed its connection or address is answered, and asked, there.
    fn follow(&mut self, inbound: &Inbound, tag: &str) {
        let Some(flow) = direct_flow(inbound) else { return };
        if let Some(dialog) = self.dialog_with(tag)
            && dialog.flow.is_some()
        {
            dialog.flow = Some(flow);
        }
    }

    /// A BYE, which ends an early dialog as well (15).
    fn bye_came(&mut self, inbound: &Inbound) {
        self.refuse(inbound, 200);
        let cause = Cause::told(Party::Remote, &inbound.request);
        match &self.state {
            State::Called(_) => {
                self.end(cause);
                self.refuse_invite(487, None, Vec::new());
            }
            State::Calling(_) => {
                self.end(cause);
                self.cancel(None);
            }
            State::Up => {
                self.end(cause);
                self.abandon_offer();
                self.unacked = None;
                self.rest();
            }
            State::Ending | State::Closed => {}
        }
    }

    /// An answer to a request within the dialog.
    pub(super) fn reply(&self, request: &Message, status: u16) -> Draft {
        let mut draft = Draft::response(request, status);
        self.identity.name(&mut draft);
        draft
    }

    pub(super) fn refuse(&mut self, inbound: &Inbound, status: u16) {
        let draft = self.reply(&inbound.request, status);
        self.respond(inbound.txn, draft);
    }

    /// 14.2, RFC 3311 5.2: come again in a moment.
    pub(super) fn refuse_later(&mut self, inbound: &Inbound) {
        let wait = self.chance.below(11);
        let draft = self.reply(&inbound.request, 500).with(Name::RetryAfter, wait.to_string());
        self.respond(inbound.txn, draft);
    }
}
