//! Messages made by hand.

use super::*;

/// A request that A could have sent within the dialog, with its own CSeq number.
pub(super) fn request_of_a(world: &mut World, method: Method, cseq: u32) -> Bytes {
    draft_of_a(world, method, cseq).encode()
}

pub(super) fn draft_of_a(world: &mut World, method: Method, cseq: u32) -> Draft {
    let mut draft = Draft::request(method.clone(), "sip:user@192.0.2.2:5060");
    let branch = format!("z9hG4bKhand{}{cseq}", world.messages.len());
    draft.push(Name::Via, via(A, &branch));
    draft.push(Name::From, "\"Alice\" <sip:alice@example.com>;tag=a-tag");
    draft.push(Name::To, "<sip:bob@192.0.2.2:5060>;tag=b-tag");
    draft.push(Name::CallId, "call-1@192.0.2.1");
    draft.push(Name::CSeq, format!("{cseq} {}", method.as_str()));
    draft
}

/// An INVITE out of any dialog.
pub(super) fn invite(headers: &[(Name, &str)], body: &str) -> Inbound {
    let mut draft = Draft::request(Method::Invite, "sip:bob@192.0.2.2");
    draft.push(Name::Via, via(A, "z9hG4bKfirst"));
    draft.push(Name::From, "<sip:alice@example.com>;tag=a-tag");
    draft.push(Name::To, "<sip:bob@192.0.2.2>");
    draft.push(Name::CallId, "call-1");
    draft.push(Name::CSeq, "7 INVITE");
    draft.push(Name::Contact, "<sip:alice@192.0.2.1>");
    for (name, value) in headers {
        draft.set(*name, *value);
    }
    if !body.is_empty() && draft.header(Name::ContentType).is_none() {
        draft = draft.with_body("application/sdp", body.to_owned());
    } else if !body.is_empty() {
        let kind = draft.header(Name::ContentType).unwrap().to_owned();
        draft = draft.with_body(&kind, body.to_owned());
    }
    inbound(B, TxnId::from_u64(1), Message::parse(draft.encode()).unwrap())
}

/// The answer among what a session asks for.
pub(super) fn answer(effects: &[Effect]) -> &Draft {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Respond { draft, .. } => Some(draft),
        _ => None,
    });
    found.expect("a request is answered")
}

/// A session of a caller that is driven by hand.
pub(super) struct Caller {
    pub(super) session: Session,
    pub(super) now: Instant,
    pub(super) effects: Vec<Effect>,
    /// The requests that were sent, with the transactions they were given.
    pub(super) requests: Vec<(TxnId, Draft)>,
}

impl Caller {
    pub(super) fn new(dial: Dial, identity: &Identity) -> Self {
        let now = Instant::now();
        let (session, effects) = Session::outgoing(now, dial, identity);
        let mut caller = Self { session, now, effects: Vec::new(), requests: Vec::new() };
        caller.take(effects);
        caller
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Request { id, draft, .. } = &effect {
                let txn = TxnId::from_u64(self.requests.len() as u64 + 1);
                self.requests.push((txn, draft.clone()));
                let id = *id;
                self.effects.push(effect);
                self.step(Input::Sent { id, txn });
            } else {
                self.effects.push(effect);
            }
        }
    }

    pub(super) fn step(&mut self, input: Input) {
        let effects = self.session.step(self.now, input).unwrap();
        self.take(effects);
    }

    /// An answer to the request of this place; the callee's tag and more headers.
    pub(super) fn answer(
        &mut self,
        at: usize,
        status: u16,
        tag: &str,
        headers: &[(Name, &str)],
        body: &str,
    ) {
        let (txn, draft) = self.requests[at].clone();
        let mut request = draft;
        request.push_front(Name::Via, via(A, &format!("z9hG4bK{at}")));
        let request = Message::parse(request.encode()).unwrap();
        let mut answer = Draft::response(&request, status);
        answer.set_to_tag(tag);
        answer.push(Name::Contact, format!("<sip:{tag}@192.0.2.9:5060>"));
        for (name, value) in headers {
            answer.push(*name, *value);
        }
        if !body.is_empty() {
            answer = answer.with_body("application/sdp", body.to_owned());
        }
        let response = Message::parse(answer.encode()).unwrap();
        let flow = FlowId::datagram(0, address(B));
        self.step(Input::Wire(TuEvent::Response { txn, response, flow }));
    }

    pub(super) fn events(&mut self) -> Vec<Event> {
        let events = self.effects.iter().filter_map(|effect| match effect {
            Effect::Emit(event) => Some(event.clone()),
            _ => None,
        });
        let events = events.collect();
        self.effects.retain(|effect| !matches!(effect, Effect::Emit(_)));
        events
    }

    pub(super) fn acks(&self) -> Vec<&Draft> {
        let acks = self.effects.iter().filter_map(|effect| match effect {
            Effect::Ack { draft, .. } => Some(draft),
            _ => None,
        });
        acks.collect()
    }

    pub(super) fn methods(&self) -> Vec<&str> {
        self.requests.iter().map(|(_, draft)| draft.method().unwrap().as_str()).collect()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Closed))
    }
}
