//! The phone in a browser: one per extension, with the calls that it is in.
//!
//! | Concern                                             | Owner              |
//! |-----------------------------------------------------|--------------------|
//! | Which call rings, talks and is held, what is legal  | `machine` (pure)   |
//! | The browser's audio, one jack a leg                 | `ear`              |
//! | Requests of the page, wishes of calls               | `actor`            |
//! | Finding the phone of an extension                   | [`Softphones`]     |
//!
//! To its call a browser is a leg like any other: it is offered audio by SDP, answers, holds by
//! a new offer and transfers by a referral. The page only ever says what its user pressed; the
//! state lives here, so a page that is loaded again finds its calls as they are.

mod actor;
mod ear;
mod machine;
#[cfg(test)]
mod tests;

pub use actor::{Connection, PhoneArgs};
pub(crate) use actor::{Invitation, LegWish, PhoneMsg};
pub use machine::{CallState, Press, Refused};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use ractor::{Actor, ActorRef};
pub use tandem_engine::webrtc::Link;
use tandem_kernel::{CallId, Timestamp, ask};
use tandem_sdp::Codec;

use crate::exchange::Exchange;
use crate::office::Refusal;
use actor::PhoneActor;

/// How long a phone may take to answer a page: a handshake's first half.
const WITHIN: Duration = Duration::from_secs(6);

/// How a binding of a browser is told from a registered contact.
pub(crate) const BINDING: &str = "browser";

/// A call on the phone, as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneCall {
    /// Its number on this phone, for what is pressed.
    pub line: u64,
    /// The call.
    pub call: CallId,
    /// What it is doing.
    pub state: CallState,
    /// Whether the user dialled it.
    pub outgoing: bool,
    /// The other party's number.
    pub number: String,
    /// The other party's name; may be empty.
    pub name: String,
    /// Since when it does that.
    pub since: Timestamp,
}

/// The phone as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneView {
    /// Where the audio stands.
    pub link: Link,
    /// Its calls in the order in which they came.
    pub calls: Vec<PhoneCall>,
    /// Why the last transfer did not work: a SIP status.
    pub transfer_failed: Option<u16>,
}

/// The phones of this node.
#[derive(Default)]
pub struct Softphones {
    live: RwLock<BTreeMap<String, (ActorRef<PhoneMsg>, Codec)>>,
}

impl Softphones {
    /// The phone of an extension, and the codec of its audio.
    pub(crate) fn of(&self, extension: &str) -> Option<(ActorRef<PhoneMsg>, Codec)> {
        self.live.read().get(extension).cloned()
    }

    pub(crate) fn gone(&self, extension: &str) {
        self.live.write().remove(extension);
    }

    /// Connects a page to the phone of its extension; a page that was connected before is told
    /// that it is not any more, since its view ends.
    ///
    /// # Errors
    /// When the offer can not be answered.
    pub async fn connect(
        exchange: &Arc<Exchange>,
        extension: &str,
        offer: String,
    ) -> Result<Connection, Refusal> {
        let phone = Self::open(exchange, extension).await?;
        let asked = ask(&phone, WITHIN, |reply| PhoneMsg::Connect { offer, reply }).await;
        asked.map_err(|error| Refusal::Unavailable { detail: error.to_string() })?
    }

    async fn open(
        exchange: &Arc<Exchange>,
        extension: &str,
    ) -> Result<ActorRef<PhoneMsg>, Refusal> {
        if let Some((phone, _)) = exchange.softphones.of(extension) {
            return Ok(phone);
        }
        let directory = exchange.provisioning.directory();
        let Some(found) = directory.extension(extension) else {
            return Err(Refusal::NotFound { kind: "extension", key: extension.to_owned() });
        };
        let wanted = crate::call::capabilities(&found.codecs, found.dtmf, found.encryption);
        let codec = tandem_engine::webrtc::codec_of(&wanted.codecs);
        let args = PhoneArgs { exchange: exchange.clone(), extension: extension.to_owned(), codec };
        let failed = |error: ractor::SpawnErr| Refusal::Unavailable { detail: error.to_string() };
        let (phone, _task) = Actor::spawn(None, PhoneActor, args).await.map_err(failed)?;
        let before = {
            let mut live = exchange.softphones.live.write();
            let before = live.get(extension).cloned();
            if before.is_none() {
                live.insert(extension.to_owned(), (phone.clone(), codec));
            }
            before
        };
        // Two pages at once: the first one's phone it is.
        if let Some((before, _)) = before {
            phone.stop(None);
            return Ok(before);
        }
        exchange.placed.browser(extension, true);
        Ok(phone)
    }
}
