//! The browser's side of one leg's offer and answer, and the jack that its audio goes through.

use bytes::Bytes;
use tandem_engine::webrtc::{Jack, capabilities};
use tandem_engine::{EngineError, fresh_key};
use tandem_sdp::{Agreement, Capabilities, Codec, CryptoPolicy, Description, Direction, Local};

use super::words::Host;

/// Where the audio of one leg meets the browser.
pub(super) struct Ear {
    pub(super) jack: Jack,
    /// Where the leg is.
    host: Host,
    caps: Capabilities,
    local: Local,
    agreement: Option<Agreement>,
    /// Our last description; the next one is numbered after it.
    sent: Option<Description>,
}

impl Ear {
    fn new(jack: Jack, codec: Codec, session_id: u64, host: Host) -> Self {
        let local = Local {
            addr: jack.local().ip(),
            port: jack.local().port(),
            session_id,
            version: 1,
            direction: Direction::SendRecv,
            key: Some(fresh_key()),
        };
        // The leg knows whether the way to it is its own node's.
        let caps = Capabilities { crypto: CryptoPolicy::Optional, ..capabilities(codec) };
        Self { jack, host, caps, local, agreement: None, sent: None }
    }

    /// Opens an ear for a leg of this member, or of the one whose audio is at `host`.
    ///
    /// # Errors
    /// When the system has no port.
    pub(super) fn open(
        engine: &tandem_engine::Handle,
        codec: Codec,
        session_id: u64,
        host: Host,
    ) -> Result<Self, EngineError> {
        Ok(Self::new(engine.jack(host)?, codec, session_id, host))
    }

    /// Whether it reaches a leg there.
    pub(super) fn is_towards(&self, host: Host) -> bool {
        self.host == host
    }

    /// From the next answer on, whether the other party is held.
    pub(super) const fn hold(&mut self, held: bool) {
        self.local.direction = if held { Direction::Inactive } else { Direction::SendRecv };
    }

    /// Answers what the call offers; none when it can not be.
    pub(super) fn answer(&mut self, offer: &[u8]) -> Option<Bytes> {
        let offer = tandem_sdp::parse(offer).ok()?;
        if self.sent.is_some() {
            self.local.version += 1;
        }
        // A leg with another key has not heard what was sent to the one before.
        let (caps, before) = (&self.caps, self.agreement.as_ref());
        let (answer, agreement) =
            tandem_sdp::answer_again(caps, &mut self.local, &offer, before, fresh_key).ok()?;
        self.sent = tandem_sdp::parse(&answer).ok();
        self.agree(agreement);
        Some(answer)
    }

    fn agree(&mut self, agreement: Agreement) {
        self.jack.connect(agreement.clone());
        self.agreement = Some(agreement);
    }

    /// What is encrypted stays so.
    fn standing(&self) -> Capabilities {
        let caps = self.caps.clone();
        self.agreement.iter().fold(caps, Capabilities::keeping)
    }

    /// Offers audio both ways, or none while the other party is held.
    pub(super) fn offer(&mut self, held: bool) -> Bytes {
        self.hold(held);
        let caps = self.standing();
        let offer = match &self.sent {
            Some(sent) => {
                self.local.version += 1;
                tandem_sdp::offer_again(&caps, &self.local, sent)
            }
            None => tandem_sdp::offer(&caps, &self.local),
        };
        self.sent = tandem_sdp::parse(&offer).ok();
        offer
    }

    /// Takes the call's answer to our offer.
    pub(super) fn accept(&mut self, answer: &[u8]) {
        let Some(sent) = &self.sent else { return };
        let Ok(answer) = tandem_sdp::parse(answer) else { return };
        match tandem_sdp::accept(&self.caps, &self.local, sent, &answer) {
            Ok(agreement) => self.agree(agreement),
            Err(error) => tracing::warn!(%error, "a call's answer to a browser's hold is wrong"),
        }
    }
}

#[cfg(test)]
mod tests;
