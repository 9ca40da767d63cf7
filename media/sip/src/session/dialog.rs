//! A dialog (RFC 3261 12): its identity, where its requests go and how they look.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::Session;
use super::input::Identity;
use crate::message::{Draft, Message, Method, Name};
use crate::net::{FlowId, Inbound, Target};
use crate::value::{NameAddr, Uri};

/// One dialog with one peer, early or confirmed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Dialog {
    pub(super) remote_tag: String,
    /// Our From value, with our tag.
    local: String,
    /// Our To value, with the peer's tag.
    remote: String,
    /// The peer's Contact.
    target: String,
    /// Route values, first hop first.
    route: Vec<String>,
    pub(super) local_cseq: u32,
    pub(super) remote_cseq: Option<u32>,
    /// Requests go along this path and no other (RFC 5626 5.3).
    pub(super) flow: Option<FlowId>,
    /// The peer's address, where its path was another process's and went straight to it.
    pub(super) at: Option<SocketAddr>,
    /// The methods of the peer's Allow that matter to us.
    pub(super) allows: Allows,
    /// The last reliable provisional answer that came (RFC 3262 4).
    #[serde(skip)]
    pub(super) rseq: u32,
    /// The description that a reliable provisional answer of this fork brought.
    #[serde(skip)]
    pub(super) answer: Option<bytes::Bytes>,
}

/// What a peer's Allow and Supported say. A peer that says nothing is asked anyway, except for
/// UPDATE, where re-INVITE does as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Allows {
    pub(super) update: bool,
    pub(super) refer: bool,
    pub(super) info: bool,
}

impl Dialog {
    /// The dialog that an INVITE opens at its receiver (12.1.1).
    pub(super) fn of_invite(inbound: &Inbound, tag: &str) -> Option<Self> {
        let invite = &inbound.request;
        let to = invite.header(Name::To)?;
        let mut dialog = Self {
            remote_tag: invite.from_tag().unwrap_or_default().to_owned(),
            local: format!("{to};tag={tag}"),
            remote: invite.header(Name::From)?.to_owned(),
            target: contact(invite)?,
            route: invite.headers(Name::RecordRoute).map(str::to_owned).collect(),
            local_cseq: 0,
            remote_cseq: Some(invite.cseq().ok()?.0),
            flow: direct_flow(inbound),
            at: None,
            allows: Allows { update: false, refer: true, info: true },
            rseq: 0,
            answer: None,
        };
        dialog.note_allow(invite);
        Some(dialog)
    }

    /// The dialog that an answer to our INVITE opens (12.1.2). An answer without a Contact
    /// leaves the URI that was invited.
    pub(super) fn of_answer(
        cseq: u32,
        answer: &Message,
        flow: Option<FlowId>,
        invited: Option<&str>,
    ) -> Option<Self> {
        let mut dialog = Self {
            remote_tag: answer.to_tag()?.to_owned(),
            local: answer.header(Name::From)?.to_owned(),
            remote: answer.header(Name::To)?.to_owned(),
            target: contact(answer).or_else(|| invited.map(str::to_owned))?,
            route: Vec::new(),
            local_cseq: cseq,
            remote_cseq: None,
            flow,
            at: None,
            allows: Allows { update: false, refer: true, info: true },
            rseq: 0,
            answer: None,
        };
        dialog.take_route(answer);
        dialog.note_allow(answer);
        Some(dialog)
    }

    /// The route of a later answer to the INVITE stands instead of an earlier one (13.2.2.4).
    pub(super) fn take_route(&mut self, answer: &Message) {
        self.route = answer.headers(Name::RecordRoute).map(str::to_owned).collect();
        self.route.reverse();
    }

    /// Target refresh (12.2.1.2, 12.2.2): a re-INVITE or UPDATE, or its 2xx, moves the peer.
    pub(super) fn refresh_target(&mut self, message: &Message) {
        if let Some(target) = contact(message) {
            self.target = target;
        }
        self.note_allow(message);
    }

    /// The peer's Contact.
    pub(super) fn target(&self) -> &str {
        &self.target
    }

    fn note_allow(&mut self, message: &Message) {
        let mut allow = message.headers(Name::Allow).peekable();
        if allow.peek().is_none() {
            return;
        }
        let mut seen = Allows { update: false, refer: false, info: false };
        for method in allow {
            match Method::parse(method) {
                Method::Update => seen.update = true,
                Method::Refer => seen.refer = true,
                Method::Info => seen.info = true,
                _ => {}
            }
        }
        self.allows = seen;
    }

    /// A request within the dialog with the next CSeq number (12.2.1.1).
    pub(super) fn request(&mut self, method: Method, call_id: &str) -> Draft {
        self.local_cseq += 1;
        self.request_with(method, call_id, self.local_cseq)
    }

    /// The ACK to a 2xx: the INVITE's CSeq number (13.2.2.4).
    pub(super) fn ack(&self, call_id: &str, cseq: u32) -> Draft {
        self.request_with(Method::Ack, call_id, cseq)
    }

    fn request_with(&self, method: Method, call_id: &str, cseq: u32) -> Draft {
        let cseq = format!("{cseq} {}", method.as_str());
        let strict = self.route.first().filter(|first| !is_loose(first));
        let mut draft = match strict.and_then(|first| first.parse::<NameAddr>().ok()) {
            None => {
                let mut draft = Draft::request(method, self.target.as_str());
                for route in &self.route {
                    draft.push(Name::Route, route.as_str());
                }
                draft
            }
            // 12.2.1.1: a strict router wants itself as the request URI.
            Some(router) => {
                let mut draft = Draft::request(method, router.uri.to_string());
                for route in &self.route[1..] {
                    draft.push(Name::Route, route.as_str());
                }
                draft.push(Name::Route, format!("<{}>", self.target));
                draft
            }
        };
        draft.push(Name::From, self.local.as_str());
        draft.push(Name::To, self.remote.as_str());
        draft.push(Name::CallId, call_id);
        draft.push(Name::CSeq, cseq);
        draft
    }

    /// Where requests of this dialog go.
    pub(super) fn next_hop(&self) -> Option<Target> {
        let first = self.route.first().and_then(|first| first.parse::<NameAddr>().ok());
        let uri = match first {
            Some(first) => first.uri,
            None => self.target.parse::<Uri>().ok()?,
        };
        Some(Target { uri, flow: self.flow, transport: None, addr: self.at })
    }
}

impl Session {
    /// The dialog of a confirmed session, or the only early one.
    pub(super) fn dialog(&mut self) -> Option<&mut Dialog> {
        self.dialogs.first_mut()
    }

    pub(super) fn dialog_with(&mut self, remote_tag: &str) -> Option<&mut Dialog> {
        self.dialogs.iter_mut().find(|dialog| dialog.remote_tag == remote_tag)
    }
}

impl Identity {
    /// Puts in what a request or answer of ours says about us.
    pub(super) fn sign(&self, draft: &mut Draft) {
        let contact = &self.local_contact;
        let contact =
            if contact.starts_with('<') { contact.clone() } else { format!("<{contact}>") };
        draft.set(Name::Contact, contact);
        draft.set(Name::Allow, self.allow.as_str());
        draft.set(Name::Supported, self.supported());
        self.name(draft);
    }

    /// Puts in our product's name only.
    pub(super) fn name(&self, draft: &mut Draft) {
        if !self.user_agent.is_empty() {
            let name = if draft.status().is_some() { Name::Server } else { Name::UserAgent };
            draft.set(name, self.user_agent.as_str());
        }
    }

    const fn supported(&self) -> &'static str {
        if self.reliable {
            "replaces, timer, norefersub, 100rel"
        } else {
            "replaces, timer, norefersub"
        }
    }
}

/// The option tags that a peer may require of us.
const UNDERSTOOD: [&str; 4] = ["100rel", "timer", "replaces", "norefersub"];

/// Those that it requires and we do not understand (8.2.2.3).
pub(super) fn not_understood(request: &Message) -> Vec<&str> {
    let required = request.headers(Name::Require);
    required.filter(|tag| !UNDERSTOOD.iter().any(|known| known.eq_ignore_ascii_case(tag))).collect()
}

/// The description in a message, if there is one. Other bodies are the business of others.
pub(super) fn description(message: &Message) -> Option<bytes::Bytes> {
    let is_sdp = content_type(message).is_none_or(|kind| kind == "application/sdp");
    // A copy: the body must not keep the whole datagram.
    (!message.body().is_empty() && is_sdp).then(|| bytes::Bytes::copy_from_slice(message.body()))
}

/// The media type of a message's body, in small letters and without parameters.
pub(super) fn content_type(message: &Message) -> Option<String> {
    let value = message.header(Name::ContentType)?;
    Some(value.split(';').next().unwrap_or("").trim().to_ascii_lowercase())
}

fn contact(message: &Message) -> Option<String> {
    let value = message.header(Name::Contact)?;
    value.parse::<NameAddr>().ok().map(|contact| contact.uri.to_string())
}

fn is_loose(route: &str) -> bool {
    route.parse::<NameAddr>().is_ok_and(|route| route.uri.params.has("lr"))
}

/// A peer that is not behind a proxy is reached where it sent from, whatever its Contact says:
/// it may stand behind a NAT.
pub(super) fn direct_flow(inbound: &Inbound) -> Option<FlowId> {
    let is_direct = inbound.request.headers(Name::Via).count() == 1
        && inbound.request.header(Name::RecordRoute).is_none();
    is_direct.then_some(inbound.flow)
}
