//! The session timer, both roles (RFC 4028).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::asked::{Asked, Kind, Outcome};
use super::dialog::description;
use super::timer::Timer;
use super::{Event, Identity, Session, State};
use crate::message::{Draft, Message, Method, Name};
use crate::value::{Refresher, SessionExpires};

/// RFC 4028 4: no interval may be shorter, in seconds.
const FLOOR: u32 = 90;
/// No interval that we agree to is longer, in seconds.
const CEILING: u32 = 24 * 60 * 60;
/// When a refresh that failed is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// What is agreed about refreshing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refresh {
    /// Seconds; 0 if there is no session timer.
    interval: u32,
    is_ours: bool,
    /// The least that the peer accepts, in seconds.
    min_se: u32,
    /// Whether the peer knows session timers.
    is_known: bool,
}

impl Refresh {
    /// Asks for a session timer in a first INVITE; the callee says who refreshes.
    pub(super) fn ask(&self, identity: &Identity, draft: &mut Draft) {
        let Some(wanted) = identity.session_expires else { return };
        let seconds = whole_seconds(wanted).max(self.min_se).max(FLOOR);
        draft.set(Name::SessionExpires, seconds.to_string());
        self.write_min_se(draft);
    }

    /// Goes on with the session timer in a re-INVITE or UPDATE: roles are those of this request.
    pub(super) fn offer(&self, draft: &mut Draft) {
        if self.interval == 0 {
            return;
        }
        let refresher = if self.is_ours { Refresher::Uac } else { Refresher::Uas };
        let seconds = self.interval.max(self.min_se);
        let value = SessionExpires { seconds, refresher: Some(refresher) };
        draft.set(Name::SessionExpires, value.to_string());
        self.write_min_se(draft);
    }

    fn write_min_se(&self, draft: &mut Draft) {
        if self.min_se > 0 {
            draft.set(Name::MinSe, self.min_se.to_string());
        }
    }

    /// Takes note of a 422; false if it asks for nothing new, or for too much.
    pub(super) fn raise(&mut self, answer: &Message) -> bool {
        let asked = answer.number(Name::MinSe).unwrap_or(0);
        if asked <= self.min_se.max(FLOOR) || asked > CEILING {
            return false;
        }
        self.min_se = asked;
        true
    }

    /// The Min-SE to refuse a request with, if its interval is shorter (9).
    pub(super) fn is_too_small(&self, identity: &Identity, request: &Message) -> Option<u32> {
        let least = whole_seconds(identity.min_se).max(FLOOR);
        let asked = request.header(Name::SessionExpires);
        let asked = asked.and_then(|value| value.parse::<SessionExpires>().ok())?;
        let is_known = knows_timer(request);
        (is_known && asked.seconds < least).then_some(least)
    }

    /// Takes note of what a request says about its sender's abilities.
    pub(super) fn note_peer(&mut self, request: &Message) {
        self.is_known = knows_timer(request);
        self.min_se = self.min_se.max(request.number(Name::MinSe).unwrap_or(0).min(CEILING));
    }

    /// Settles the timer for a 2xx of ours (9, table 2).
    fn grant(&mut self, identity: &Identity, request: &Message) -> Option<SessionExpires> {
        self.note_peer(request);
        let asked = request.header(Name::SessionExpires);
        let asked = asked.and_then(|value| value.parse::<SessionExpires>().ok());
        let own = identity.session_expires.map(whole_seconds);
        let wanted = match (&asked, own) {
            (None, None) => {
                self.interval = 0;
                return None;
            }
            (Some(asked), Some(own)) => asked.seconds.min(own),
            (Some(asked), None) => asked.seconds,
            (None, Some(own)) => own,
        };
        let seconds = wanted.clamp(FLOOR, CEILING).max(self.min_se);
        let given = asked.and_then(|asked| asked.refresher);
        let refresher = match given {
            _ if !self.is_known => Refresher::Uas,
            Some(given) => given,
            None => Refresher::Uac,
        };
        self.interval = seconds;
        self.is_ours = refresher == Refresher::Uas;
        Some(SessionExpires { seconds, refresher: Some(refresher) })
    }

    /// Takes the timer from a 2xx to a request of ours (7.2).
    fn agree(&mut self, answer: &Message) {
        let given = answer.header(Name::SessionExpires);
        let Some(given) = given.and_then(|value| value.parse::<SessionExpires>().ok()) else {
            self.interval = 0;
            return;
        };
        self.interval = given.seconds.clamp(FLOOR, CEILING);
        self.is_ours = given.refresher != Some(Refresher::Uas);
        self.is_known = true;
    }
}

impl Session {
    /// A re-INVITE or UPDATE whose interval is too short gets 422.
    pub(super) fn interval_too_small(&self, request: &Message) -> Option<Draft> {
        let min_se = self.refresh.is_too_small(&self.identity, request)?;
        Some(self.reply(request, 422).with(Name::MinSe, min_se.to_string()))
    }

    /// Writes the session timer into a 2xx of ours and starts it.
    pub(super) fn refresh_granted(&mut self, request: &Message, draft: &mut Draft) {
        if let Some(granted) = self.refresh.grant(&self.identity, request) {
            draft.set(Name::SessionExpires, granted.to_string());
            if granted.refresher == Some(Refresher::Uac) {
                draft.push(Name::Require, "timer");
            }
        }
        self.start_refresh();
    }

    /// Takes the session timer of a 2xx to a request of ours and starts it.
    pub(super) fn refresh_agreed(&mut self, answer: &Message) {
        self.refresh.agree(answer);
        self.start_refresh();
    }

    pub(super) fn start_refresh(&mut self) {
        self.disarm(Timer::Refresh);
        self.disarm(Timer::Expire);
        let seconds = self.refresh.interval;
        if seconds == 0 || !matches!(self.state, State::Up) || self.is_over {
            return;
        }
        // 10: a little before the end, so that the BYE still finds its way.
        let margin = (seconds / 3).min(32);
        self.arm(Timer::Expire, Duration::from_secs(u64::from(seconds - margin)));
        if self.refresh.is_ours {
            self.arm(Timer::Refresh, Duration::from_secs(u64::from(seconds)) / 2);
        }
    }

    /// It is our turn. UPDATE changes nothing else; a re-INVITE has to repeat the description.
    pub(super) fn send_refresh(&mut self) {
        if !matches!(self.state, State::Up) || self.is_over {
            return;
        }
        let is_free = self.exchange.is_idle()
            && self.unacked.is_none()
            && !self.is_asking(Kind::Reinvite)
            && !self.is_asking(Kind::Update);
        let can_update = self.dialog().is_some_and(|dialog| dialog.allows.update);
        let local = self.exchange.local.clone();
        let (method, body) = match (can_update, local) {
            (true, _) => (Method::Update, None),
            (false, Some(local)) if is_free => (Method::Invite, Some(local)),
            // An exchange under way refreshes as well.
            (false, _) => return self.arm(Timer::Refresh, AGAIN),
        };
        let Some(mut draft) = self.draft(method) else { return };
        self.identity.sign(&mut draft);
        self.refresh.offer(&mut draft);
        if let Some(body) = body {
            self.exchange.propose(&body);
            draft = draft.with_body("application/sdp", body);
        }
        self.ask_peer(Kind::Refresh, draft);
    }

    pub(super) fn refresh_concluded(&mut self, asked: Asked, outcome: Outcome<'_>) {
        let is_invite = asked.draft.method() == Some(&Method::Invite);
        match (outcome.status, outcome.answer) {
            (200..=299, Some(answer)) => self.refreshed(&asked, answer, is_invite),
            (422, Some(answer)) if self.refresh.raise(answer) => {
                let mut asked = asked;
                self.refresh.offer(&mut asked.draft);
                return self.send_anew(asked);
            }
            _ if outcome.is_lost_dialog() => return self.lost(outcome),
            (491, _) => {
                self.refresh_failed(is_invite);
                let after = self.collision_wait();
                self.arm(Timer::Refresh, after);
            }
            _ => {
                self.refresh_failed(is_invite);
                self.arm(Timer::Refresh, AGAIN);
            }
        }
        self.offer_waiting();
    }

    fn refresh_failed(&mut self, is_invite: bool) {
        if is_invite {
            self.exchange.withdraw();
        }
    }

    fn refreshed(&mut self, asked: &Asked, answer: &Message, is_invite: bool) {
        self.target_refreshed(answer);
        if is_invite {
            self.acknowledge_invite(asked, answer);
            self.exchange.answered();
            let sdp = description(answer);
            if let Some(sdp) = sdp.filter(|sdp| self.exchange.heard(sdp)) {
                // The peer has moved its media on this occasion.
                self.emit(Event::OfferAnswered { sdp });
            }
        }
        self.refresh_agreed(answer);
    }
}

fn knows_timer(request: &Message) -> bool {
    request.lists(Name::Supported, "timer") || request.lists(Name::Require, "timer")
}

fn whole_seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(CEILING).min(CEILING)
}
