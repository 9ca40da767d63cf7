//! The phone in a browser: one per extension, with the calls that it is in.
//!
//! | Concern                                             | Owner              |
//! |-----------------------------------------------------|--------------------|
//! | Which call rings, talks and is held, what is legal  | `machine` (pure)   |
//! | The browser's audio, one jack a leg                 | `ear`              |
//! | Requests of the page                                | `actor`            |
//! | Wishes of calls, what they are told                 | `legs`, `words`    |
//! | The way to a call, or a phone, of another member    | `way`              |
//! | Finding the phone of an extension                   | [`Softphones`]     |
//!
//! To its call a browser is a leg like any other: it is offered audio by SDP, answers, holds by
//! a new offer and transfers by a referral. The page only ever says what its user pressed; the
//! state lives here, so a page that is loaded again finds its calls as they are.
//!
//! Call and phone need not be at one member of a cluster. When the member of either is lost, or
//! the page comes back at another one, the answered leg looks for the phone and says what the
//! phone has to know of it (`ToPhone::Return`).

mod actor;
mod ear;
mod legs;
mod machine;
#[cfg(test)]
mod tests;
mod way;
pub mod words;

pub use actor::{Connection, PhoneArgs};
pub use machine::Line;
pub use machine::{CallState, Press, Refused};
pub(crate) use way::{CallWay, PhoneWay};

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
use actor::{PhoneActor, PhoneMsg};

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

/// By extension; with the codec of their audio.
type Live = BTreeMap<String, (ActorRef<PhoneMsg>, Codec)>;

/// The phones of this node. Clones share them.
#[derive(Clone, Default)]
pub struct Softphones {
    live: Arc<RwLock<Live>>,
}

impl Softphones {
    /// The codec of the audio of an extension's browser, wherever that is; none: no extension.
    pub(crate) fn codec(exchange: &Exchange, extension: &str) -> Option<Codec> {
        let directory = exchange.provisioning.directory();
        let found = directory.extension(extension)?;
        let wanted = crate::call::capabilities(&found.codecs, found.dtmf, found.encryption);
        Some(tandem_engine::webrtc::codec_of(&wanted.codecs))
    }

    /// The phone of an extension, and the codec of its audio.
    pub(crate) fn of(&self, extension: &str) -> Option<(ActorRef<PhoneMsg>, Codec)> {
        self.live.read().get(extension).cloned()
    }

    pub(crate) fn gone(&self, extension: &str) {
        self.live.write().remove(extension);
    }

    /// What a call of another member wants of a phone here; false: it is not here.
    pub(crate) fn tell(
        &self,
        extension: &str,
        line: Line,
        call: CallWay,
        wish: words::ToPhone,
    ) -> bool {
        let message = PhoneMsg::Leg { line, call, wish };
        self.of(extension).is_some_and(|(phone, _)| phone.cast(message).is_ok())
    }

    /// A page at another member has become the phone.
    pub(crate) fn moved(&self, extension: &str) {
        if let Some((phone, _)) = self.of(extension) {
            // One that has just ended has told its calls so.
            let _ended = phone.cast(PhoneMsg::Moved);
        }
    }

    /// A member died.
    pub(crate) fn member_died(&self, member: u64) {
        for (phone, _) in self.live.read().values() {
            let _ended = phone.cast(PhoneMsg::Died(member));
        }
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
        let Some(codec) = Self::codec(exchange, extension) else {
            return Err(Refusal::NotFound { kind: "extension", key: extension.to_owned() });
        };
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
