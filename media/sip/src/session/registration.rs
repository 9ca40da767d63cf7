//! Our own account at a provider: REGISTER, kept alive (RFC 3261 10.2, 5626, 3608), sans-IO.

use std::time::{Duration, Instant};

use super::asked::prove;
use super::chance::Chance;
use super::effect::{RequestRef, TimerId};
use super::input::Identity;
use crate::digest::{self, Credentials};
use crate::message::{Draft, Message, Method, Name};
use crate::net::{FlowId, Target, TuEvent, TxnId};
use crate::value::{Challenge, NameAddr, Uri};

/// The first and the longest wait after a failure (RFC 5626 4.5).
const BASE_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(1800);
/// No lifetime that a registrar asks for is longer.
const CEILING: u32 = 7 * 24 * 60 * 60;
/// How often one attempt may be challenged or corrected.
const MAX_TRIES: u8 = 4;

/// What is registered where.
#[derive(Clone, Debug)]
pub struct Account {
    /// The registrar's domain, as a request URI.
    pub registrar: Uri,
    /// The address of record.
    pub address: NameAddr,
    /// Route values to be put before it: an outbound proxy.
    pub route: Vec<String>,
    /// Where the REGISTER goes.
    pub next_hop: Target,
    /// What a challenge is answered with.
    pub credentials: Option<Credentials>,
    /// The lifetime that we ask for.
    pub expires: Duration,
    /// A Call-ID that nobody has used; kept for all refreshes.
    pub call_id: String,
    /// Our tag: random. Further chance is drawn from it.
    pub from_tag: String,
    /// The instance URN and the number of this flow, for RFC 5626.
    pub outbound: Option<(String, u32)>,
}

/// What a registration is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// From the endpoint.
    Wire(TuEvent),
    /// The transaction that a [`Effect::Request`] was given.
    Sent {
        /// The effect's.
        id: RequestRef,
        /// The endpoint's.
        txn: TxnId,
    },
    /// An armed timer has run out.
    Timer(TimerId),
    /// Register now: the account is wanted, or its connection broke.
    Register,
    /// The account is not wanted any more.
    Unregister,
}

/// What the shell of a registration has to do.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "it is handed over once and not kept")]
pub enum Effect {
    /// Send a request; report its transaction by [`Input::Sent`] before anything else.
    Request {
        /// For the report.
        id: RequestRef,
        /// The request.
        draft: Draft,
        /// Where to.
        target: Target,
    },
    /// Report [`Input::Timer`] after this time; every earlier one is void.
    Arm {
        /// Which.
        timer: TimerId,
        /// From now.
        after: Duration,
    },
    /// Tell the owner.
    Emit(Event),
}

/// What the owner of an account learns.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Registered, also after each refresh.
    Registered {
        /// Until when, if it is not refreshed.
        expires: Duration,
        /// The route that calls of this account must take (RFC 3608).
        service_route: Vec<String>,
        /// The path on which the registrar answered and will call us.
        flow: FlowId,
    },
    /// An attempt failed; the next one comes by itself.
    Failed {
        /// The answer, or 408 or 503 in its place.
        status: u16,
        /// When the next attempt is made.
        retry_after: Duration,
    },
    /// Not registered any more, at our wish.
    Unregistered,
}

/// A registration of ours.
#[derive(Debug)]
pub struct Client {
    account: Account,
    identity: Identity,
    cseq: u32,
    wish: Wish,
    /// Seconds that we ask for: raised by a 423.
    expires: u32,
    asked: Option<Asked>,
    /// The last challenge and how often its nonce was used, to answer before being asked.
    known: Option<Known>,
    failures: u32,
    next_request: u32,
    timer: u32,
    chance: Chance,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wish {
    Registered,
    Gone,
}

#[derive(Debug)]
struct Asked {
    id: RequestRef,
    txn: Option<TxnId>,
    tries: u8,
    /// It answers a challenge that was made a moment ago.
    challenge: Option<Name>,
    /// What was wished when it was sent.
    wish: Wish,
}

#[derive(Debug)]
struct Known {
    header: Name,
    challenges: Vec<Challenge>,
    uses: u32,
}

impl Client {
    /// An account that is not registered yet.
    #[must_use]
    pub fn new(account: Account, identity: &Identity) -> Self {
        Self {
            chance: Chance::of(&account.call_id, &account.from_tag),
            expires: u32::try_from(account.expires.as_secs()).unwrap_or(CEILING).clamp(1, CEILING),
            account,
            identity: identity.clone(),
            cseq: 0,
            wish: Wish::Gone,
            asked: None,
            known: None,
            failures: 0,
            next_request: 0,
            timer: 0,
        }
    }

    /// Takes one input.
    pub fn step(&mut self, _now: Instant, input: Input) -> Vec<Effect> {
        let mut out = Vec::new();
        match input {
            Input::Register => {
                self.wish = Wish::Registered;
                self.attempt(0, None, &mut out);
            }
            Input::Unregister => self.unregister(&mut out),
            Input::Timer(timer) if timer.0 == self.timer => self.attempt(0, None, &mut out),
            Input::Timer(_) => {}
            Input::Sent { id, txn } => {
                if let Some(asked) = self.asked.as_mut().filter(|asked| asked.id == id) {
                    asked.txn = Some(txn);
                }
            }
            Input::Wire(event) => self.wire(event, &mut out),
        }
        out
    }

    fn unregister(&mut self, out: &mut Vec<Effect>) {
        let was_wanted = std::mem::replace(&mut self.wish, Wish::Gone) == Wish::Registered;
        if !was_wanted {
            return out.push(Effect::Emit(Event::Unregistered));
        }
        self.attempt(0, None, out);
    }

    fn wire(&mut self, event: TuEvent, out: &mut Vec<Effect>) {
        match event {
            TuEvent::Response { txn, response, flow } => {
                let status = response.status().unwrap_or(0);
                let Some(asked) = self.take(txn, status) else { return };
                self.answered(&asked, &response, status, flow, out);
            }
            TuEvent::Timeout { txn } => {
                if let Some(asked) = self.take(txn, 408) {
                    self.failed(&asked, 408, None, out);
                }
            }
            TuEvent::TransportFailed { txn, .. } => {
                if let Some(asked) = self.take(txn, 503) {
                    self.failed(&asked, 503, None, out);
                }
            }
            TuEvent::Request(_)
            | TuEvent::Ack(_)
            | TuEvent::Cancelled { .. }
            | TuEvent::ServerGone { .. } => {}
        }
    }

    fn take(&mut self, txn: TxnId, status: u16) -> Option<Asked> {
        let is_it = self.asked.as_ref().is_some_and(|asked| asked.txn == Some(txn));
        if is_it && status >= 200 { self.asked.take() } else { None }
    }

    /// Sends a REGISTER; one that is under way is not heard of any more.
    fn attempt(&mut self, tries: u8, challenge: Option<Name>, out: &mut Vec<Effect>) {
        // Whatever timer is armed is void.
        self.timer += 1;
        self.cseq += 1;
        self.next_request += 1;
        let id = RequestRef(self.next_request);
        let draft = self.draft();
        self.asked = Some(Asked { id, txn: None, tries, challenge, wish: self.wish });
        out.push(Effect::Request { id, draft, target: self.account.next_hop.clone() });
    }

    fn draft(&mut self) -> Draft {
        let account = &self.account;
        let mut draft = Draft::request(Method::Register, account.registrar.to_string());
        for route in &account.route {
            draft.push(Name::Route, route.as_str());
        }
        let from = account.address.clone().with_tag(&account.from_tag);
        draft.push(Name::From, from.to_string());
        draft.push(Name::To, account.address.to_string());
        draft.push(Name::CallId, account.call_id.as_str());
        draft.push(Name::CSeq, format!("{} REGISTER", self.cseq));
        let expires = if self.wish == Wish::Registered { self.expires } else { 0 };
        let mut contact = format!("<{}>;expires={expires}", self.identity.local_contact);
        if let Some((instance, flow)) = &account.outbound {
            contact.push_str(&format!(";+sip.instance=\"<{instance}>\";reg-id={flow}"));
            draft.push(Name::Supported, "path, outbound");
        }
        draft.push(Name::Contact, contact);
        draft.push(Name::Expires, expires.to_string());
        draft.push(Name::Allow, self.identity.allow.as_str());
        self.identity.name(&mut draft);
        self.authorise(&mut draft);
        draft
    }

    /// Answers the last challenge before it is made again (RFC 7616 3.6).
    fn authorise(&mut self, draft: &mut Draft) {
        let (Some(known), Some(credentials)) = (&mut self.known, &self.account.credentials) else {
            return;
        };
        known.uses += 1;
        let cnonce = self.chance.cnonce();
        if let Some(value) = prove(&known.challenges, credentials, draft, known.uses, &cnonce) {
            draft.set(known.header, value);
        }
    }

    fn answered(
        &mut self,
        asked: &Asked,
        answer: &Message,
        status: u16,
        flow: FlowId,
        out: &mut Vec<Effect>,
    ) {
        match status {
            200..=299 => self.succeeded(asked, answer, flow, out),
            401 | 407 if self.note_challenge(asked, answer) => {
                let challenge = self.known.as_ref().map(|known| known.header);
                self.attempt(asked.tries + 1, challenge, out);
            }
            423 if self.raise(asked, answer) => self.attempt(asked.tries + 1, None, out),
            _ => self.failed(asked, status, answer.number(Name::RetryAfter), out),
        }
    }

    /// Takes note of a challenge; false if answering it does not help: a fresh answer that is
    /// challenged again, and not as stale, means that the password is wrong.
    fn note_challenge(&mut self, asked: &Asked, answer: &Message) -> bool {
        let Some((header, challenges)) = digest::challenges(answer) else { return false };
        let is_refused =
            asked.challenge == Some(header) && !challenges.iter().any(|challenge| challenge.stale);
        if self.account.credentials.is_none() || asked.tries >= MAX_TRIES || is_refused {
            self.known = None;
            return false;
        }
        self.known = Some(Known { header, challenges, uses: 0 });
        true
    }

    /// RFC 3261 10.2.8: the lifetime is too short.
    fn raise(&mut self, asked: &Asked, answer: &Message) -> bool {
        let least = answer.number(Name::MinExpires).unwrap_or(0);
        let helps = least > self.expires && least <= CEILING && asked.tries < MAX_TRIES;
        if helps {
            self.expires = least;
        }
        helps
    }

    fn succeeded(&mut self, asked: &Asked, answer: &Message, flow: FlowId, out: &mut Vec<Effect>) {
        self.failures = 0;
        if asked.wish == Wish::Gone {
            return out.push(Effect::Emit(Event::Unregistered));
        }
        let granted = self.granted(answer);
        let service_route = answer.headers(Name::ServiceRoute).map(str::to_owned).collect();
        let expires = Duration::from_secs(u64::from(granted));
        out.push(Effect::Emit(Event::Registered { expires, service_route, flow }));
        // 80 to 90 % of it, so that not everybody comes at once.
        let after = expires.mul_f64((800 + self.chance.below(100)) as f64 / 1000.0);
        self.arm(after.max(Duration::from_secs(1)), out);
    }

    /// The lifetime that the registrar gave to our Contact.
    fn granted(&self, answer: &Message) -> u32 {
        let ours = Uri::parse(&self.identity.local_contact).ok();
        let contacts = answer.headers(Name::Contact);
        let mut contacts = contacts.filter_map(|value| NameAddr::parse(value).ok());
        let own = contacts.find(|contact| {
            let same_flow = self.account.outbound.as_ref().is_some_and(|(instance, flow)| {
                contact.params.unquoted("+sip.instance").as_deref()
                    == Some(&format!("<{instance}>"))
                    && contact.param("reg-id") == Some(&flow.to_string())
            });
            same_flow || ours.as_ref().is_some_and(|ours| ours.is_equivalent(&contact.uri))
        });
        let given = own.and_then(|own| own.param("expires")?.parse().ok());
        let given = given.or_else(|| answer.number(Name::Expires));
        given.unwrap_or(self.expires).min(CEILING)
    }

    fn failed(
        &mut self,
        asked: &Asked,
        status: u16,
        retry_after: Option<u32>,
        out: &mut Vec<Effect>,
    ) {
        if asked.wish == Wish::Gone {
            return out.push(Effect::Emit(Event::Unregistered));
        }
        // RFC 5626 4.5: twice as long each time, and half of it by chance.
        let upper = (BASE_WAIT * 2_u32.pow(self.failures.min(10))).min(LONGEST_WAIT);
        self.failures += 1;
        let wait = upper / 2 + upper.mul_f64(self.chance.below(500) as f64 / 1000.0);
        let told = retry_after.map_or(Duration::ZERO, |secs| Duration::from_secs(secs.into()));
        let retry_after = wait.max(told.min(LONGEST_WAIT * 2));
        out.push(Effect::Emit(Event::Failed { status, retry_after }));
        self.arm(retry_after, out);
    }

    fn arm(&mut self, after: Duration, out: &mut Vec<Effect>) {
        self.timer += 1;
        out.push(Effect::Arm { timer: TimerId(self.timer), after });
    }
}
