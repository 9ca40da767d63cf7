//! All subscriptions of a node as a value: who watches what, and when each hears of a change.
//!
//! One NOTIFY of a subscription is under way at a time: what changes meanwhile is told by the
//! next one, so that a slow phone costs no memory (RFC 6665 4.2.2).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tandem_sip::message::{Draft, Name};
use tandem_sip::net::{Inbound, Target, TxnId};
use tandem_sip::session::Identity;
use tandem_sip::session::notifier::{self, Notifier, Reason};

use super::body;
use super::watched::{State, Watched};

/// The longest time without a refresh: after a restart of the node every lamp is right again
/// by then.
pub const MAX_EXPIRES: Duration = Duration::from_secs(600);
/// A shorter one is refused (RFC 6665 3.1.1).
pub const MIN_EXPIRES: Duration = Duration::from_secs(30);
/// Subscriptions of one extension; the oldest goes for one more.
pub const MAX_PER_OWNER: usize = 128;
/// Subscriptions of a node.
pub const MAX_ALL: usize = 50_000;
/// How long whoever finds no place should wait, in seconds.
const RETRY_AFTER_SECS: &str = "60";

/// A subscription. A number never comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u64);

/// A SUBSCRIBE out of any dialog whose sender is known.
#[derive(Debug)]
pub struct Wish {
    /// The request.
    pub inbound: Box<Inbound>,
    /// The extension that subscribes.
    pub owner: String,
    /// To what.
    pub watched: Watched,
    /// Its state now.
    pub state: State,
    /// The URI of what is watched, for bodies.
    pub entity: String,
    /// How we present ourselves.
    pub identity: Identity,
    /// Our tag.
    pub tag: String,
}

/// What the board is told.
#[derive(Debug)]
pub enum Input {
    /// Somebody subscribes.
    Subscribe(Box<Wish>),
    /// A SUBSCRIBE within a subscription's dialog.
    Again(SubscriptionId, Box<Inbound>),
    /// Something has another state now.
    Changed(Watched, State),
    /// Something is not there any more.
    Vanished(Watched),
    /// A NOTIFY was answered; without a status it could not be delivered.
    Answered(SubscriptionId, Option<u16>),
    /// Time has passed.
    Tick,
    /// The node drains.
    Drain,
}

/// What the board asks for, in order.
#[derive(Debug)]
pub enum Effect {
    /// Answer a request.
    Respond(TxnId, Box<Draft>),
    /// Take the requests of this dialog.
    Attach {
        /// For which subscription.
        id: SubscriptionId,
        /// Its Call-ID.
        call_id: String,
        /// Our tag.
        local_tag: String,
    },
    /// Send a NOTIFY; its outcome is reported.
    Notify(SubscriptionId, Box<(Draft, Target)>),
    /// The subscription is over.
    Detach(SubscriptionId),
    /// Nobody watches it any more.
    Unwatched(Watched),
}

struct Subscription {
    owner: String,
    watched: Watched,
    entity: String,
    notifier: Notifier,
    version: u32,
    /// A NOTIFY waits for its answer.
    is_busy: bool,
    /// The state changed meanwhile.
    is_stale: bool,
}

struct Shown {
    state: State,
    watchers: BTreeSet<SubscriptionId>,
}

/// The board.
#[derive(Default)]
pub struct Board {
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    shown: BTreeMap<Watched, Shown>,
    owners: BTreeMap<String, BTreeSet<SubscriptionId>>,
    last: u64,
    is_draining: bool,
}

impl Board {
    /// Takes one input and says what must be done about it.
    pub fn step(&mut self, now: Instant, input: Input) -> Vec<Effect> {
        let mut out = Vec::new();
        match input {
            Input::Subscribe(wish) => self.subscribe(now, *wish, &mut out),
            Input::Again(id, inbound) => self.again(now, id, &inbound, &mut out),
            Input::Changed(watched, state) => self.changed(now, &watched, state, &mut out),
            Input::Vanished(watched) => {
                for id in self.watchers(&watched) {
                    self.end(now, id, Reason::NoResource, &mut out);
                }
            }
            Input::Answered(id, status) => self.answered(now, id, status, &mut out),
            Input::Tick => self.tick(now, &mut out),
            Input::Drain => {
                self.is_draining = true;
                for id in self.subscriptions.keys().copied().collect::<Vec<_>>() {
                    self.end(now, id, Reason::Deactivated, &mut out);
                }
            }
        }
        out
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.subscriptions.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.subscriptions.is_empty()
    }

    /// The dialog of a subscription.
    #[must_use]
    pub fn notifier(&self, id: SubscriptionId) -> Option<&Notifier> {
        self.subscriptions.get(&id).map(|subscription| &subscription.notifier)
    }

    /// Whose subscription it is.
    #[must_use]
    pub fn owner(&self, id: SubscriptionId) -> Option<&str> {
        self.subscriptions.get(&id).map(|subscription| subscription.owner.as_str())
    }

    /// What is watched of an agent.
    #[must_use]
    pub fn watched_of(&self, agent: &str) -> Vec<Watched> {
        self.shown.keys().filter(|watched| watched.agent() == Some(agent)).cloned().collect()
    }

    /// Whether somebody watches it.
    #[must_use]
    pub fn is_watched(&self, watched: &Watched) -> bool {
        self.shown.contains_key(watched)
    }

    fn watchers(&self, watched: &Watched) -> Vec<SubscriptionId> {
        self.shown.get(watched).map(|it| it.watchers.iter().copied().collect()).unwrap_or_default()
    }

    fn subscribe(&mut self, now: Instant, wish: Wish, out: &mut Vec<Effect>) {
        let (txn, watched) = (wish.inbound.txn, wish.watched.clone());
        if let Err(answer) = self.take(now, wish, out) {
            out.push(Effect::Respond(txn, answer));
            if !self.is_watched(&watched) {
                out.push(Effect::Unwatched(watched));
            }
        }
    }

    fn take(&mut self, now: Instant, wish: Wish, out: &mut Vec<Effect>) -> Result<(), Box<Draft>> {
        let Wish { inbound, owner, watched, state, entity, identity, tag } = wish;
        let request = &inbound.request;
        let expires = granted(request)?;
        if self.is_draining || self.subscriptions.len() >= MAX_ALL {
            let busy = Draft::response(request, 503).with(Name::RetryAfter, RETRY_AFTER_SECS);
            return Err(Box::new(busy));
        }
        let (notifier, answer) = Notifier::accept(now, &inbound, &identity, tag, expires)?;
        self.make_room(now, &owner, out);
        self.last += 1;
        let id = SubscriptionId(self.last);
        let (call_id, local_tag) = notifier.local_id();
        let (call_id, local_tag) = (call_id.to_owned(), local_tag.to_owned());
        out.push(Effect::Attach { id, call_id, local_tag });
        out.push(Effect::Respond(inbound.txn, Box::new(answer)));
        self.owners.entry(owner.clone()).or_default().insert(id);
        // A state that is newer than what the others were told is told to them as well.
        self.changed(now, &watched, state.clone(), out);
        let shown = self.shown.entry(watched.clone());
        let watchers = BTreeSet::new();
        shown.or_insert(Shown { state, watchers }).watchers.insert(id);
        let (version, is_busy, is_stale) = (0, false, false);
        let it = Subscription { owner, watched, entity, notifier, version, is_busy, is_stale };
        self.subscriptions.insert(id, it);
        self.tell_or_end(now, id, expires, out);
        Ok(())
    }

    fn again(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        inbound: &Inbound,
        out: &mut Vec<Effect>,
    ) {
        let refused = |status| Box::new(Draft::response(&inbound.request, status));
        let taken = match self.subscriptions.get_mut(&id) {
            Some(known) => granted(&inbound.request).and_then(|expires| {
                let answer = known.notifier.refresh(now, inbound, expires)?;
                Ok((answer, expires))
            }),
            None => Err(refused(481)),
        };
        match taken {
            Ok((answer, expires)) => {
                out.push(Effect::Respond(inbound.txn, Box::new(answer)));
                self.tell_or_end(now, id, expires, out);
            }
            Err(answer) => out.push(Effect::Respond(inbound.txn, answer)),
        }
    }

    /// Each SUBSCRIBE is followed by a NOTIFY (RFC 6665 4.2.1.2), the last one as well.
    fn tell_or_end(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        expires: Duration,
        out: &mut Vec<Effect>,
    ) {
        if expires.is_zero() {
            self.end(now, id, Reason::Timeout, out);
        } else {
            self.tell(now, id, out);
        }
    }

    /// The oldest of an owner's subscriptions goes when it has as many as it may.
    fn make_room(&mut self, now: Instant, owner: &str, out: &mut Vec<Effect>) {
        let Some(own) = self.owners.get(owner).filter(|own| own.len() >= MAX_PER_OWNER) else {
            return;
        };
        if let Some(oldest) = own.first().copied() {
            self.end(now, oldest, Reason::Probation, out);
        }
    }

    fn changed(&mut self, now: Instant, watched: &Watched, state: State, out: &mut Vec<Effect>) {
        let Some(shown) = self.shown.get_mut(watched) else { return };
        if shown.state == state {
            return;
        }
        shown.state = state;
        for id in self.watchers(watched) {
            self.tell(now, id, out);
        }
    }

    fn tell(&mut self, now: Instant, id: SubscriptionId, out: &mut Vec<Effect>) {
        let Some(it) = self.subscriptions.get_mut(&id) else { return };
        if it.is_busy {
            it.is_stale = true;
            return;
        }
        let Some(shown) = self.shown.get(&it.watched) else { return };
        let content = body::of(&shown.state, &it.entity, it.version);
        it.version = it.version.wrapping_add(1);
        match it.notifier.notify(now, None, Some(content)) {
            Some(request) => {
                it.is_busy = true;
                it.is_stale = false;
                out.push(Effect::Notify(id, Box::new(request)));
            }
            None => self.remove(id, out),
        }
    }

    fn answered(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        status: Option<u16>,
        out: &mut Vec<Effect>,
    ) {
        let Some(it) = self.subscriptions.get_mut(&id) else { return };
        it.is_busy = false;
        let is_stale = it.is_stale;
        if is_lost(status) {
            self.remove(id, out);
        } else if is_stale {
            self.tell(now, id, out);
        }
    }

    fn tick(&mut self, now: Instant, out: &mut Vec<Effect>) {
        let is_over = |it: &Subscription| it.notifier.expires_at() <= now;
        let over = self.subscriptions.iter().filter(|(_, it)| is_over(it));
        for id in over.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.end(now, id, Reason::Timeout, out);
        }
    }

    /// Ends a subscription with a last NOTIFY, which nobody waits for.
    fn end(&mut self, now: Instant, id: SubscriptionId, why: Reason, out: &mut Vec<Effect>) {
        let Some(it) = self.subscriptions.get_mut(&id) else { return };
        let state = self.shown.get(&it.watched).map(|shown| &shown.state);
        let content = state.map(|state| body::of(state, &it.entity, it.version));
        if let Some(request) = it.notifier.notify(now, Some(why), content) {
            out.push(Effect::Notify(id, Box::new(request)));
        }
        self.remove(id, out);
    }

    fn remove(&mut self, id: SubscriptionId, out: &mut Vec<Effect>) {
        let Some(gone) = self.subscriptions.remove(&id) else { return };
        out.push(Effect::Detach(id));
        if let Some(own) = self.owners.get_mut(&gone.owner) {
            own.remove(&id);
            if own.is_empty() {
                self.owners.remove(&gone.owner);
            }
        }
        let Some(shown) = self.shown.get_mut(&gone.watched) else { return };
        shown.watchers.remove(&id);
        if shown.watchers.is_empty() {
            self.shown.remove(&gone.watched);
            out.push(Effect::Unwatched(gone.watched));
        }
    }
}

/// How long a SUBSCRIBE is granted; zero is a look, or the end.
fn granted(request: &tandem_sip::message::Message) -> Result<Duration, Box<Draft>> {
    let wish = notifier::wish(request).unwrap_or(MAX_EXPIRES);
    if !wish.is_zero() && wish < MIN_EXPIRES {
        let brief =
            Draft::response(request, 423).with(Name::MinExpires, MIN_EXPIRES.as_secs().to_string());
        return Err(Box::new(brief));
    }
    Ok(wish.min(MAX_EXPIRES))
}

/// RFC 6665 4.2.2: whether an answer to a NOTIFY means that the subscription is gone.
const fn is_lost(status: Option<u16>) -> bool {
    matches!(
        status,
        None | Some(
            404 | 405 | 408 | 410 | 416 | 480 | 481 | 482 | 483 | 484 | 485 | 489 | 501 | 604
        )
    )
}
