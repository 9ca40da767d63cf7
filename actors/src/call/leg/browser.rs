//! A leg at the phone in a browser: rung without an INVITE, at whichever member of a cluster the
//! page is, and looked for when it is lost.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ractor::ActorRef;
use serde::{Deserialize, Serialize};
use tandem_kernel::LegId;
use tandem_sip::session::{Command, Effect, Event, Refused};

use super::address::Address;
use super::audio::Audio;
use super::forwards::MaxForwards;
use super::peer::Peer;
use super::signalling::Signalling;
use super::way::Way;
use super::{Happening, SipLeg};
use crate::call::machine::{Device, LegEnd, Party};
use crate::call::message::CallMsg;
use crate::exchange::Exchange;
use crate::softphone::words::{EndedBy, FromPhone, Invitation, Return, ToPhone};
use crate::softphone::{Line, PhoneWay, Softphones};

/// How long an answered leg looks for its phone: as long as a phone waits for its page.
const LOOKS_FOR: Duration = Duration::from_secs(30);

/// The last number that was given to a call on a phone.
static LAST: AtomicU64 = AtomicU64::new(0);

/// A leg's end at the phone.
pub(super) struct BrowserLine {
    line: Line,
    id: LegId,
    call: ActorRef<CallMsg>,
    phone: PhoneWay,
    is_over: bool,
    /// It was answered.
    is_up: bool,
}

/// What is kept of an answered leg at a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBrowser {
    line: Line,
    dialog: String,
}

/// What a phone that does not know a leg is told of it.
pub(crate) struct Shown {
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) outgoing: bool,
    pub(crate) held: bool,
}

/// A number that no other leg has on a phone, not even one of another member or of this one
/// before it was started again: the time in microseconds. A page can count so far.
fn fresh_line(exchange: &Exchange) -> Line {
    let now = exchange.clock.now().as_micros();
    let next = |last: u64| Some(now.max(last + 1));
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    last.map_or(now, |last| now.max(last + 1))
}

impl BrowserLine {
    pub(super) fn command(&mut self, command: Command) -> Result<Vec<Effect>, Refused> {
        if self.is_over {
            return Err(Refused::Ended);
        }
        let wish = match command {
            Command::HangUp { .. } | Command::Reject { .. } => {
                self.is_over = true;
                self.tell(ToPhone::End);
                return Ok(vec![Effect::Closed]);
            }
            Command::Offer { sdp } => ToPhone::Offer { id: self.id, sdp },
            Command::AnswerOffer { sdp } => ToPhone::Accept(sdp),
            Command::ReferProgress { status, is_final: true, .. } if status >= 300 => {
                ToPhone::Transfer { status }
            }
            // Said to callers, or of no consequence for a page.
            _ => return Ok(Vec::new()),
        };
        self.tell(wish);
        Ok(Vec::new())
    }

    fn tell(&self, wish: ToPhone) {
        // A phone that is gone has told its calls so, or is looked for.
        let _gone = self.phone.tell(&self.call, self.line, wish);
    }

    pub(super) fn moved(&mut self, id: LegId, call: &ActorRef<CallMsg>) {
        self.id = id;
        self.call = call.clone();
    }

    /// It was answered and is not over.
    pub(super) const fn is_up(&self) -> bool {
        self.is_up && !self.is_over
    }

    /// Nothing more is said of it here.
    pub(super) const fn fall_silent(&mut self) {
        self.is_over = true;
    }
}

impl Drop for BrowserLine {
    /// A call that crashes leaves no call on the phone.
    fn drop(&mut self) {
        if !self.is_over {
            self.tell(ToPhone::End);
        }
    }
}

impl SipLeg {
    /// Rings at the phone in a browser. Its codec is settled, so none is preferred.
    pub(super) fn ring_browser(
        exchange: &Exchange,
        id: LegId,
        (device, caller): (&Device, &Party),
        give_up: Duration,
        myself: &ActorRef<CallMsg>,
    ) -> Result<(Self, Vec<Happening>), LegEnd> {
        let gone = || LegEnd::status(480, "the browser is not connected any more");
        let failed = |status| LegEnd {
            status: Some(status),
            by_party: false,
            why: "no media ports are free".into(),
        };
        let extension = &device.extension;
        let mut leg = Self::at_browser(exchange, id, device.party(), myself)
            .ok_or_else(gone)?
            .map_err(failed)?;
        let phone = PhoneWay::find(exchange, extension);
        leg.audio.encrypt(phone.encryption());
        let invitation = Invitation {
            id,
            dialog: leg.call_id.clone(),
            offer: leg.audio.offer(),
            number: caller.number().to_owned(),
            name: caller.name().to_owned(),
            give_up,
        };
        let line = leg.session.browser().ok_or_else(gone)?;
        line.phone = phone;
        if !line.phone.tell(myself, line.line, ToPhone::Invite(Box::new(invitation))) {
            line.fall_silent();
            return Err(gone());
        }
        leg.heard = true;
        Ok((leg, Vec::new()))
    }

    /// A leg at a browser that is not looked for yet; none: there is no such extension.
    fn at_browser(
        exchange: &Exchange,
        id: LegId,
        who: Party,
        myself: &ActorRef<CallMsg>,
    ) -> Option<Result<Self, u16>> {
        let extension = who.extension()?.to_owned();
        let caps = tandem_engine::webrtc::capabilities(Softphones::codec(exchange, &extension)?);
        let line = BrowserLine {
            line: fresh_line(exchange),
            id,
            call: myself.clone(),
            phone: PhoneWay::nowhere(extension),
            is_over: false,
            is_up: false,
        };
        Some(Audio::open(exchange, id, caps, myself).map(|audio| Self {
            id,
            session: Signalling::Browser(line),
            address: Address::new(myself, id.index),
            attachments: Vec::new(),
            peer: Peer::called(who, false),
            way: Way::of_session(),
            call_id: exchange.fresh_call_id(),
            audio,
            forwards: MaxForwards::FIRST,
            closed: false,
            ended: false,
            heard: false,
            alarms: exchange.alarms.alarms(),
        }))
    }

    /// What another node needs to go on with a leg at a browser.
    pub(crate) fn kept_browser(&self) -> Option<KeptBrowser> {
        match &self.session {
            Signalling::Browser(line) if line.is_up() => {
                Some(KeptBrowser { line: line.line, dialog: self.call_id.clone() })
            }
            _ => None,
        }
    }

    /// Goes on with a leg at a browser of another node. The phone hears of it by
    /// [`Self::look_for_phone`].
    ///
    /// # Errors
    /// 503 when no media ports are free, 480 when there is no such extension.
    pub(crate) fn revive_browser(
        exchange: &Exchange,
        id: LegId,
        kept: KeptBrowser,
        who: Party,
        myself: &ActorRef<CallMsg>,
    ) -> Result<Self, u16> {
        let mut leg = Self::at_browser(exchange, id, who, myself).ok_or(480_u16)??;
        leg.call_id = kept.dialog;
        if let Some(line) = leg.session.browser() {
            line.line = kept.line;
            line.is_up = true;
        }
        Ok(leg)
    }

    /// The extension whose browser it is at.
    pub(crate) fn browser_of(&self) -> Option<&str> {
        match &self.session {
            Signalling::Browser(line) if !line.is_over => Some(line.phone.extension()),
            _ => None,
        }
    }

    /// The phone may be at another member now, or nowhere: it is told of the leg where it is. An
    /// end is given when it rang where no phone is any more.
    pub(crate) fn look_for_phone(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        shown: Shown,
    ) -> Vec<Happening> {
        let Some(line) = self.session.browser() else { return Vec::new() };
        let now = PhoneWay::find(exchange, line.phone.extension());
        if now.place() == line.phone.place() && now.place().is_some() {
            return Vec::new();
        }
        let was_known = line.phone.place().is_some();
        line.phone = now;
        let number = line.line;
        if !line.is_up {
            return self.browser_said(exchange, myself, (number, page_gone()));
        }
        if line.phone.place().is_none() {
            if was_known || !self.heard {
                self.await_page(myself);
            }
            return Vec::new();
        }
        let policy = line.phone.encryption();
        self.audio.encrypt(policy);
        let Shown { number, name, outgoing, held } = shown;
        let (id, dialog, offer) = (self.id, self.call_id.clone(), self.audio.offer());
        let back = Return { id, dialog, offer, number, name, outgoing, held };
        if let Some(line) = self.session.browser() {
            line.tell(ToPhone::Return(Box::new(back)));
        }
        Vec::new()
    }

    /// An answered leg looks for its phone, if there is none, for so long and no longer.
    pub(super) fn await_page(&mut self, myself: &ActorRef<CallMsg>) {
        let (leg, line) = match self.session.browser() {
            Some(line) if line.is_up() && line.phone.place().is_none() => {
                (self.id.index, line.line)
            }
            _ => return,
        };
        self.alarms.set(myself, LOOKS_FOR, move || CallMsg::PhoneGone { leg, line });
    }

    /// No page has come back in time, unless one has.
    pub(crate) fn phone_gone(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        number: Line,
    ) -> Vec<Happening> {
        let is_lost = |line: &mut BrowserLine| line.phone.place().is_none();
        if !self.session.browser().is_some_and(is_lost) {
            return Vec::new();
        }
        self.browser_said(exchange, myself, (number, page_gone()))
    }

    /// What the phone in a browser says; what was meant for a leg that was here before is not
    /// ours.
    pub(crate) fn browser_said(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        (number, said): (Line, FromPhone),
    ) -> Vec<Happening> {
        let is_its = |line: &mut BrowserLine| line.line == number;
        if self.ended || !self.session.browser().is_some_and(is_its) {
            return Vec::new();
        }
        let Some(event) = said.event(&exchange.policy.realm) else { return Vec::new() };
        self.heard = true;
        if let Some(line) = self.session.browser() {
            line.is_up |= matches!(event, Event::Answered { .. });
            line.is_over |= matches!(event, Event::Ended { .. });
        }
        self.closed |= matches!(event, Event::Ended { .. });
        self.told(exchange, myself, event)
    }

    /// Nothing more is said to the far end from here.
    pub(crate) fn fall_silent(&mut self) {
        if let Some(line) = self.session.browser() {
            line.fall_silent();
        }
    }
}

const fn page_gone() -> FromPhone {
    FromPhone::Ended { by: EndedBy::Page, status: Some(480) }
}
