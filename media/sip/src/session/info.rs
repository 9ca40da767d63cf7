//! INFO within the call: digits (the de facto `dtmf-relay`) and whatever the owner sends.

use bytes::Bytes;

use super::asked::Kind;
use super::dialog::content_type;
use super::effect::Refused;
use super::{Event, Session, State};
use crate::message::{Method, Name};
use crate::net::Inbound;

/// A digit whose sender does not say how long, in ms.
const USUAL: u32 = 160;
/// No key is held longer, in ms.
const LONGEST: u32 = 10_000;
const TAKEN: &str = "application/dtmf-relay, application/dtmf";

impl Session {
    pub(super) fn info_came(&mut self, inbound: &Inbound) {
        let request = &inbound.request;
        if request.body().is_empty() {
            // RFC 6086 4.2.2: an INFO without a body asks whether we are there.
            return self.refuse(inbound, 200);
        }
        let body = String::from_utf8_lossy(request.body());
        let digit = match content_type(request).as_deref() {
            Some("application/dtmf-relay") => relayed(&body),
            Some("application/dtmf") => relayed(&body).or_else(|| plain(&body)),
            _ => {
                let draft = self.reply(request, 415).with(Name::Accept, TAKEN);
                return self.respond(inbound.txn, draft);
            }
        };
        let Some((digit, duration_ms)) = digit else { return self.refuse(inbound, 400) };
        self.refuse(inbound, 200);
        self.emit(Event::Dtmf { digit, duration_ms });
    }

    pub(super) fn send_info(&mut self, content_type: &str, body: Bytes) -> Result<(), Refused> {
        if !matches!(self.state, State::Up) {
            return Err(Refused::NotNow);
        }
        if self.dialog().is_some_and(|dialog| !dialog.allows.info) {
            return Err(Refused::Unsupported);
        }
        let mut draft = self.draft(Method::Info).ok_or(Refused::NotNow)?;
        self.identity.name(&mut draft);
        let draft = draft.with_body(content_type, body);
        self.ask_peer(Kind::Info, draft);
        Ok(())
    }
}

/// `Signal=5` and `Duration=160` on lines of their own.
fn relayed(body: &str) -> Option<(char, u32)> {
    let mut digit = None;
    let mut duration = USUAL;
    for line in body.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        if name.trim().eq_ignore_ascii_case("signal") {
            digit = key(value);
        } else if name.trim().eq_ignore_ascii_case("duration") {
            duration = value.parse().unwrap_or(USUAL);
        }
    }
    digit.map(|digit| (digit, duration.clamp(1, LONGEST)))
}

fn plain(body: &str) -> Option<(char, u32)> {
    key(body.trim()).map(|digit| (digit, USUAL))
}

/// A key by its sign, or by its event number (RFC 4733 3.2).
fn key(text: &str) -> Option<char> {
    const SIGNS: &str = "0123456789*#ABCD!";
    let mut chars = text.chars();
    if let (Some(sign), None) = (chars.next(), chars.next()) {
        let sign = sign.to_ascii_uppercase();
        return SIGNS.contains(sign).then_some(sign);
    }
    let event: usize = text.parse().ok()?;
    SIGNS.chars().nth(event)
}
