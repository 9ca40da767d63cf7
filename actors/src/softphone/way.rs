//! The ways between a leg and the phone in a browser that it rings at, within a member and
//! between two.

use ractor::{ActorId, ActorRef};
use tandem_kernel::LegId;
use tandem_sdp::CryptoPolicy;

use super::actor::PhoneMsg;
use super::machine::Line;
use super::words::{FromPhone, Host, ToPhone};
use crate::call::CallMsg;
use crate::exchange::Exchange;
use crate::gateway::Gateway;
use crate::gateway::words::Word;

/// The level of the members' language from which on a browser's phone takes encrypted audio.
const ENCRYPTED: u16 = 3;

/// Where an extension's phone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At this member.
    Here(ActorId),
    /// At another one.
    There(u64),
}

/// From a leg to the phone.
#[derive(Clone)]
pub(crate) struct PhoneWay {
    extension: String,
    to: To,
}

#[derive(Clone)]
enum To {
    Here(ActorRef<PhoneMsg>),
    There(u64, Gateway, Host),
    /// It is looked for.
    Nowhere,
}

impl PhoneWay {
    /// The way to the phone of an extension, wherever it is now.
    pub(crate) fn find(exchange: &Exchange, extension: &str) -> Self {
        let here = exchange.softphones.of(extension).map(|(phone, _)| To::Here(phone));
        let there = || {
            let member = exchange.placed.browser_member(extension)?;
            let host = Some(exchange.engine.inside());
            Some(To::There(member, exchange.placed.gateway()?.clone(), host))
        };
        let to = here.or_else(there).unwrap_or(To::Nowhere);
        Self { extension: extension.to_owned(), to }
    }

    /// A way that is not known yet.
    pub(crate) const fn nowhere(extension: String) -> Self {
        Self { extension, to: To::Nowhere }
    }

    pub(crate) fn extension(&self) -> &str {
        &self.extension
    }

    /// Where it leads; none: nowhere.
    pub(crate) fn place(&self) -> Option<Place> {
        match &self.to {
            To::Here(phone) => Some(Place::Here(phone.get_id())),
            To::There(member, ..) => Some(Place::There(*member)),
            To::Nowhere => None,
        }
    }

    /// What a leg offers on encryption: its audio leaves the node for a phone at another member.
    pub(crate) fn encryption(&self) -> CryptoPolicy {
        match &self.to {
            To::There(member, gateway, _) if gateway.level(*member) >= ENCRYPTED => {
                CryptoPolicy::Required
            }
            To::Here(_) | To::There(..) | To::Nowhere => CryptoPolicy::Off,
        }
    }

    /// Tells the phone something of a leg of a call here; false: there is none any more.
    pub(crate) fn tell(&self, call: &ActorRef<CallMsg>, line: Line, wish: ToPhone) -> bool {
        match &self.to {
            To::Here(phone) => {
                let call = CallWay::Here(call.clone());
                phone.cast(PhoneMsg::Leg { line, call, wish }).is_ok()
            }
            To::There(member, gateway, host) => {
                let (extension, host) = (self.extension.clone(), *host);
                gateway.tell(*member, Word::ToPhone { extension, line, host, wish });
                true
            }
            To::Nowhere => false,
        }
    }
}

/// From a phone to the call of a leg.
#[derive(Clone)]
pub(crate) enum CallWay {
    /// At this member.
    Here(ActorRef<CallMsg>),
    /// At another one, whose audio is at this address.
    There(u64, Gateway, Host),
}

impl CallWay {
    /// Tells the call of a leg something.
    pub(crate) fn tell(&self, leg: LegId, line: Line, said: FromPhone) {
        match self {
            Self::Here(call) => {
                // A call that is gone has let go of this leg already.
                let _gone = call.cast(CallMsg::Browser { leg: leg.index, line, said });
            }
            Self::There(member, gateway, _) => {
                gateway.tell(*member, Word::FromPhone { leg, line, said });
            }
        }
    }

    /// The member of the call; none: this one.
    pub(crate) const fn member(&self) -> Option<u64> {
        match self {
            Self::Here(_) => None,
            Self::There(member, ..) => Some(*member),
        }
    }

    /// Where the leg's audio is, if it is not here.
    pub(crate) const fn host(&self) -> Host {
        match self {
            Self::Here(_) => None,
            Self::There(_, _, host) => *host,
        }
    }
}
