//! Our end of a subscription: a dialog that carries NOTIFYs (RFC 6665 4.2), sans-IO.
//!
//! What a subscription is to, and what its state looks like, is the business of its owner.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::dialog::{Dialog, direct_flow};
use super::input::Identity;
use crate::message::{Draft, Message, Method, Name};
use crate::net::{FlowId, Inbound, Target};

/// One subscription that a peer has with us.
#[derive(Debug)]
pub struct Notifier {
    identity: Box<Identity>,
    call_id: String,
    local_tag: String,
    dialog: Dialog,
    /// The Event value as the peer gave it, its id included (RFC 6665 8.2.1).
    event: String,
    expires_at: Instant,
}

/// The state of what is subscribed to, as a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its media type.
    pub kind: &'static str,
    /// The body.
    pub body: Bytes,
}

/// Why we end a subscription (RFC 6665 4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It ran out, or the peer took it back.
    Timeout,
    /// The node goes: subscribe again, now.
    Deactivated,
    /// There are too many: try again later.
    Probation,
    /// What was subscribed to is not there any more.
    NoResource,
}

/// The package of a SUBSCRIBE: its Event value without parameters, in small letters.
#[must_use]
pub fn package(subscribe: &Message) -> Option<String> {
    let event = subscribe.header(Name::Event)?;
    let package = event.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    (!package.is_empty()).then_some(package)
}

/// How long a SUBSCRIBE wants to last; none if it does not say.
#[must_use]
pub fn wish(subscribe: &Message) -> Option<Duration> {
    subscribe.number(Name::Expires).map(|secs| Duration::from_secs(u64::from(secs)))
}

/// Whether the peer reads bodies of a type (RFC 3261 20.1: who says nothing reads the
/// package's own).
#[must_use]
pub fn accepts(subscribe: &Message, kind: &str) -> bool {
    let mut accepted = subscribe.headers(Name::Accept).peekable();
    accepted.peek().is_none()
        || accepted.any(|value| {
            let value = value.split(';').next().unwrap_or("").trim();
            value == "*/*" || value == "application/*" || value.eq_ignore_ascii_case(kind)
        })
}

impl Notifier {
    /// Takes a SUBSCRIBE out of any dialog, for as long as `expires`; the answer goes out
    /// before any NOTIFY. The tag is ours: random.
    ///
    /// # Errors
    /// The final answer if there is nobody to notify: 400, 489.
    pub fn accept(
        now: Instant,
        inbound: &Inbound,
        identity: &Identity,
        tag: String,
        expires: Duration,
    ) -> Result<(Self, Draft), Box<Draft>> {
        let request = &inbound.request;
        let refuse = |status| Box::new(Draft::response(request, status));
        let event = request.header(Name::Event).ok_or_else(|| refuse(489))?.to_owned();
        let dialog = Dialog::of_invite(inbound, &tag).ok_or_else(|| refuse(400))?;
        let notifier = Self {
            identity: Box::new(identity.clone()),
            call_id: request.call_id().to_owned(),
            local_tag: tag,
            dialog,
            event,
            expires_at: now + expires,
        };
        let answer = notifier.answer(request, expires);
        Ok((notifier, answer))
    }

    /// Takes a SUBSCRIBE within the dialog: a refresh, or the end.
    ///
    /// # Errors
    /// The final answer to a request that is out of order; nothing has changed.
    pub fn refresh(
        &mut self,
        now: Instant,
        inbound: &Inbound,
        expires: Duration,
    ) -> Result<Draft, Box<Draft>> {
        let request = &inbound.request;
        let refuse = |status| Box::new(Draft::response(request, status));
        let is_own = request.from_tag() == Some(self.dialog.remote_tag.as_str());
        let (true, Ok((cseq, _))) = (is_own, request.cseq()) else { return Err(refuse(481)) };
        if self.dialog.remote_cseq.is_some_and(|last| cseq <= last) {
            return Err(refuse(500));
        }
        self.dialog.remote_cseq = Some(cseq);
        self.dialog.refresh_target(request);
        if let (Some(_), Some(flow)) = (self.dialog.flow, direct_flow(inbound)) {
            self.dialog.flow = Some(flow);
        }
        self.expires_at = now + expires;
        Ok(self.answer(request, expires))
    }

    fn answer(&self, subscribe: &Message, expires: Duration) -> Draft {
        let mut answer = Draft::response(subscribe, 200);
        answer.set_to_tag(&self.local_tag);
        for route in subscribe.headers(Name::RecordRoute) {
            answer.push(Name::RecordRoute, route);
        }
        self.identity.sign(&mut answer);
        answer.with(Name::Expires, expires.as_secs().to_string())
    }

    /// A NOTIFY of the state now; a last one if there is a reason. None when the peer's
    /// Contact leads nowhere.
    pub fn notify(
        &mut self,
        now: Instant,
        end: Option<Reason>,
        content: Option<Content>,
    ) -> Option<(Draft, Target)> {
        let target = self.dialog.next_hop()?;
        let mut draft = self.dialog.request(Method::Notify, &self.call_id);
        draft.push(Name::Event, self.event.as_str());
        draft.push(Name::SubscriptionState, self.state(now, end));
        self.identity.sign(&mut draft);
        if let Some(content) = content {
            draft = draft.with_body(content.kind, content.body);
        }
        Some((draft, target))
    }

    fn state(&self, now: Instant, end: Option<Reason>) -> String {
        match end {
            None => {
                let left = self.expires_at.saturating_duration_since(now).as_secs();
                format!("active;expires={left}")
            }
            Some(Reason::Timeout) => "terminated;reason=timeout".to_owned(),
            Some(Reason::Deactivated) => "terminated;reason=deactivated".to_owned(),
            Some(Reason::Probation) => "terminated;reason=probation;retry-after=60".to_owned(),
            Some(Reason::NoResource) => "terminated;reason=noresource".to_owned(),
        }
    }

    /// When it runs out.
    #[must_use]
    pub const fn expires_at(&self) -> Instant {
        self.expires_at
    }

    /// The path of the peer, if it is not behind a proxy.
    #[must_use]
    pub const fn flow(&self) -> Option<FlowId> {
        self.dialog.flow
    }

    /// The Call-ID and our tag: what [`Handle::attach`](crate::net::Handle::attach) wants.
    #[must_use]
    pub fn local_id(&self) -> (&str, &str) {
        (&self.call_id, &self.local_tag)
    }
}
