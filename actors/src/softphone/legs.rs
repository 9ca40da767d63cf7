//! The legs that a phone in a browser has: what they want, and what they are told.

use std::time::Duration;

use bytes::Bytes;
use ractor::ActorRef;
use tandem_kernel::LegId;

use super::actor::{PhoneMsg, PhoneState};
use super::ear::Ear;
use super::machine::{CallState, Input, Line, Talk};
use super::way::CallWay;
use super::words::{EndedBy, FromPhone, Invitation, Return, ToPhone};

/// How long others may take to go on with the calls of a member that died.
const ORPHANED: Duration = Duration::from_secs(15);
/// Not Acceptable Here: no audio that both sides can do (RFC 3261 21.4.26).
const NOT_ACCEPTABLE: u16 = 488;

/// One leg as the phone holds it.
pub(super) struct Leg {
    id: LegId,
    dialog: String,
    call: CallWay,
    /// The call's offer until it is answered.
    offer: Bytes,
    pub(super) ear: Option<Ear>,
}

impl PhoneState {
    pub(super) fn wished(
        &mut self,
        myself: &ActorRef<PhoneMsg>,
        line: Line,
        call: CallWay,
        wish: ToPhone,
    ) {
        match wish {
            ToPhone::Invite(invitation) => self.invited(myself, line, call, *invitation),
            ToPhone::Return(back) => self.returned(line, call, *back),
            ToPhone::Offer { id, sdp } => self.offered(line, call, id, sdp),
            // Who has lost the call to another member has nothing to say any more.
            _ if !self.is_of(line, &call) => {}
            ToPhone::End => self.follow(Input::Ended(line)),
            ToPhone::Accept(sdp) => {
                if let Some(ear) = self.legs.get_mut(&line).and_then(|leg| leg.ear.as_mut()) {
                    ear.accept(&sdp);
                }
            }
            ToPhone::Transfer { status } => self.follow(Input::Transferred { status }),
        }
    }

    fn is_of(&self, line: Line, call: &CallWay) -> bool {
        self.legs.get(&line).is_some_and(|leg| leg.call.member() == call.member())
    }

    fn invited(
        &mut self,
        myself: &ActorRef<PhoneMsg>,
        line: Line,
        call: CallWay,
        invitation: Invitation,
    ) {
        let Invitation { id, dialog, offer, number, name, give_up } = invitation;
        self.legs.insert(line, Leg { id, dialog, call, offer, ear: None });
        drop(myself.send_after(give_up, move || PhoneMsg::GiveUp(line)));
        self.follow(Input::Invited { line, call: id.call, number, name });
    }

    /// A leg whose member or whose phone was lost.
    fn returned(&mut self, line: Line, call: CallWay, back: Return) {
        let Return { id, dialog, offer, number, name, outgoing, held } = back;
        let ear = self.legs.remove(&line).and_then(|leg| leg.ear);
        self.legs.insert(line, Leg { id, dialog, call, offer, ear });
        let state = if held { CallState::Held } else { CallState::Up };
        let since = self.exchange.clock.now();
        let talk = Talk { call: id.call, state, outgoing, number, name, since };
        self.follow(Input::Returned { line, talk });
    }

    fn offered(&mut self, line: Line, call: CallWay, id: LegId, sdp: Bytes) {
        let Some(leg) = self.legs.get_mut(&line) else {
            // The user hung up while nobody heard it.
            return call.tell(id, line, FromPhone::Ended { by: EndedBy::User, status: None });
        };
        (leg.id, leg.call, leg.offer) = (id, call, sdp);
        let is_held = |(it, talk): (Line, &Talk)| it == line && talk.state == CallState::Held;
        let held = self.phone.calls().any(is_held);
        self.rejoin(line, held);
    }

    /// The member of the first call that was answered, if it is another.
    pub(super) fn talks_at(&self) -> Option<u64> {
        let up = self.phone.calls().filter(|(_, talk)| talk.state != CallState::Ringing);
        up.map(|(line, _)| line).find_map(|line| self.legs.get(&line)?.call.member())
    }

    pub(super) fn give_up(&mut self, line: Line) {
        if self.rings(line) {
            self.tell(line, FromPhone::Ended { by: EndedBy::Timeout, status: Some(408) });
            self.follow(Input::Ended(line));
        }
    }

    fn rings(&self, line: Line) -> bool {
        self.phone.calls().any(|(it, talk)| it == line && talk.state == CallState::Ringing)
    }

    /// What rang for a member that died rings no more; who talks is asked for by its heir.
    pub(super) fn member_died(&mut self, myself: &ActorRef<PhoneMsg>, member: u64) {
        let lines = self.lines_of(member);
        if lines.is_empty() {
            return;
        }
        drop(myself.send_after(ORPHANED, move || PhoneMsg::Orphaned(member)));
        for line in lines.into_iter().filter(|line| self.rings(*line)).collect::<Vec<_>>() {
            self.follow(Input::Ended(line));
        }
    }

    /// Nobody has gone on with these calls.
    pub(super) fn orphaned(&mut self, member: u64) {
        for line in self.lines_of(member) {
            self.follow(Input::Ended(line));
        }
    }

    fn lines_of(&self, member: u64) -> Vec<Line> {
        let theirs = self.legs.iter().filter(|(_, leg)| leg.call.member() == Some(member));
        theirs.map(|(line, _)| *line).collect()
    }

    pub(super) fn answer(&mut self, line: Line) {
        match self.agree(line, false) {
            Some(sdp) => self.tell(line, FromPhone::Answered(sdp)),
            None => self.no_audio(line),
        }
    }

    /// The leg's audio has moved, or the phone's.
    pub(super) fn rejoin(&mut self, line: Line, held: bool) {
        let Some(sdp) = self.agree(line, held) else { return self.no_audio(line) };
        if self.talks_with == Some(line) {
            self.talk(Some(line));
        }
        self.tell(line, FromPhone::OfferAnswered(sdp));
    }

    /// The answer to the leg's offer, by an ear that reaches it.
    fn agree(&mut self, line: Line, held: bool) -> Option<Bytes> {
        let leg = self.legs.get_mut(&line)?;
        let host = leg.call.host();
        if leg.ear.as_ref().is_none_or(|ear| !ear.is_towards(host)) {
            let session_id = self.exchange.clock.now().as_micros();
            let opened = Ear::open(&self.exchange.engine, self.codec, session_id, host);
            let no_ear = |error| tracing::warn!(%error, "no audio for a browser's call");
            leg.ear = opened.map_err(no_ear).ok();
        }
        let ear = leg.ear.as_mut()?;
        ear.hold(held);
        ear.answer(&leg.offer)
    }

    fn no_audio(&mut self, line: Line) {
        let status = Some(NOT_ACCEPTABLE);
        self.tell(line, FromPhone::Ended { by: EndedBy::Node, status });
        self.follow(Input::Ended(line));
    }

    pub(super) fn refer(&mut self, line: Line, to: String, replaces: Option<Line>) {
        self.refers += 1;
        let id = self.refers;
        let other = replaces.and_then(|line| self.legs.get(&line));
        let replaces = other.map(|leg| leg.dialog.clone());
        self.tell(line, FromPhone::Refer { id, to, replaces });
    }

    pub(super) fn merge(&self, line: Line, with: Line) {
        if let Some(other) = self.legs.get(&with) {
            self.tell(line, FromPhone::Merge(other.id));
        }
    }

    pub(super) fn tell(&self, line: Line, said: FromPhone) {
        if let Some(leg) = self.legs.get(&line) {
            leg.call.tell(leg.id, line, said);
        }
    }

    pub(super) fn hang_up_all(&mut self) {
        let lines: Vec<Line> = self.legs.keys().copied().collect();
        for line in lines {
            self.tell(line, FromPhone::Ended { by: EndedBy::Page, status: None });
            self.follow(Input::Ended(line));
        }
    }
}
