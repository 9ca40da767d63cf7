//! The shell of a phone in a browser.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tandem_engine::webrtc::{Browser, Link};
use tandem_kernel::{CallId, ask};
use tandem_sdp::Codec;
use tokio::sync::watch;

use super::legs::Leg;
use super::machine::{Effect, Input, Line, Phone, Press, Refused};
use super::way::CallWay;
use super::words::{EndedBy, FromPhone, ToPhone};
use super::{PhoneCall, PhoneView};
use crate::exchange::Exchange;
use crate::office::Refusal;

/// How long a phone waits for its page to come back before it takes no more calls.
const AWAY: Duration = Duration::from_secs(30);
/// How long a press may take.
const PRESS_WITHIN: Duration = Duration::from_secs(2);
/// Busy Here: the user declined (RFC 3261 21.4.24).
const DECLINED: u16 = 486;

/// Messages of a phone.
pub(crate) enum PhoneMsg {
    /// A page offers its audio.
    Connect { offer: String, reply: RpcReplyPort<Result<Connection, Refusal>> },
    /// A page's audio came, went or came back.
    Link { page: u64, link: Link },
    /// A page pressed something.
    Press { page: u64, press: Press, reply: RpcReplyPort<Result<(), Refusal>> },
    /// A page dials.
    Dial { page: u64, call: CallId, number: String, reply: RpcReplyPort<Result<(), Refusal>> },
    /// A page's socket closed.
    Left { page: u64 },
    /// No page came back.
    Away { page: u64 },
    /// A leg wants something, and is answered by this way.
    Leg { line: Line, call: CallWay, wish: ToPhone },
    /// It has rung long enough.
    GiveUp(Line),
    /// The other member at which the user talks.
    TalksAt(RpcReplyPort<Option<u64>>),
    /// A member died.
    Died(u64),
    /// Nobody has gone on with the calls of a member that died.
    Orphaned(u64),
    /// A browser at another member is the phone now: its calls go there.
    Moved,
}

impl ractor::Message for PhoneMsg {}

/// What a phone is started with.
pub struct PhoneArgs {
    pub(super) exchange: Arc<Exchange>,
    pub(super) extension: String,
    pub(super) codec: Codec,
}

/// A page's connection to its phone. Dropping it says that the page is gone.
pub struct Connection {
    /// Our answer to its offer.
    pub answer: String,
    /// The phone as it is, the newest state only; ends when another page takes the phone.
    pub view: watch::Receiver<PhoneView>,
    page: u64,
    phone: ActorRef<PhoneMsg>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A phone that has ended has no page to miss.
        let _ended = self.phone.cast(PhoneMsg::Left { page: self.page });
    }
}

impl Connection {
    /// Carries out what the user pressed.
    ///
    /// # Errors
    /// `Conflict` when the call's state does not allow it.
    pub async fn press(&self, press: Press) -> Result<(), Refusal> {
        let page = self.page;
        self.ask(|reply| PhoneMsg::Press { page, press, reply }).await
    }

    /// The other member at which its user talks; none: here, or with nobody.
    pub(crate) async fn talks_at(&self) -> Result<Option<u64>, Refusal> {
        let unavailable =
            |error: tandem_kernel::AskError| Refusal::Unavailable { detail: error.to_string() };
        ask(&self.phone, PRESS_WITHIN, PhoneMsg::TalksAt).await.map_err(unavailable)
    }

    /// Makes the phone expect the leg of a call that its user dials.
    pub(crate) async fn expect(&self, call: CallId, number: String) -> Result<(), Refusal> {
        let page = self.page;
        self.ask(|reply| PhoneMsg::Dial { page, call, number, reply }).await
    }

    async fn ask(
        &self,
        question: impl FnOnce(RpcReplyPort<Result<(), Refusal>>) -> PhoneMsg,
    ) -> Result<(), Refusal> {
        let unavailable = |detail| Refusal::Unavailable { detail };
        ask(&self.phone, PRESS_WITHIN, question)
            .await
            .unwrap_or_else(|error| Err(unavailable(error.to_string())))
    }
}

/// The page that has the phone.
struct Page {
    number: u64,
    browser: Browser,
    view: watch::Sender<PhoneView>,
    is_there: bool,
}

pub(super) struct PhoneActor;

pub(super) struct PhoneState {
    pub(super) exchange: Arc<Exchange>,
    extension: String,
    pub(super) codec: Codec,
    pub(super) phone: Phone,
    pub(super) legs: BTreeMap<Line, Leg>,
    page: Option<Page>,
    pages: u64,
    link: Link,
    pub(super) talks_with: Option<Line>,
    pub(super) refers: u32,
}

impl Actor for PhoneActor {
    type Msg = PhoneMsg;
    type State = PhoneState;
    type Arguments = PhoneArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<PhoneMsg>,
        args: PhoneArgs,
    ) -> Result<PhoneState, ActorProcessingErr> {
        // A phone that no page connects to ends by itself.
        drop(myself.send_after(AWAY, || PhoneMsg::Away { page: 0 }));
        Ok(PhoneState {
            exchange: args.exchange,
            extension: args.extension,
            codec: args.codec,
            phone: Phone::default(),
            legs: BTreeMap::new(),
            page: None,
            pages: 0,
            link: Link::Connecting,
            talks_with: None,
            refers: 0,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<PhoneMsg>,
        message: PhoneMsg,
        state: &mut PhoneState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            PhoneMsg::Connect { offer, reply } => {
                let connected = state.connect(&myself, offer).await;
                let _gone = reply.send(connected);
            }
            PhoneMsg::Link { page, link } if state.has(page) => state.link = link,
            PhoneMsg::Press { page, press, reply } => {
                let _gone = reply.send(state.pressed(page, Input::Pressed(press)));
            }
            PhoneMsg::Dial { page, call, number, reply } => {
                let _gone = reply.send(state.pressed(page, Input::Dialled { call, number }));
            }
            PhoneMsg::Left { page } => state.left(&myself, page),
            PhoneMsg::Away { page } if state.is_away(page) => state.give_page_up(&myself, page),
            PhoneMsg::Leg { line, call, wish } => state.wished(&myself, line, call, wish),
            PhoneMsg::GiveUp(line) => state.give_up(line),
            PhoneMsg::TalksAt(reply) => {
                let _gone = reply.send(state.talks_at());
            }
            PhoneMsg::Died(member) => state.member_died(&myself, member),
            PhoneMsg::Orphaned(member) => state.orphaned(member),
            PhoneMsg::Moved => {
                tracing::info!(extension = %state.extension, "another member has the browser now");
                state.legs.clear();
                myself.stop(None);
            }
            PhoneMsg::Link { .. } | PhoneMsg::Away { .. } => {}
        }
        state.show();
        Ok(())
    }
}

/// Whatever ends the actor, its extension is not rung here any more and its calls know.
impl Drop for PhoneState {
    fn drop(&mut self) {
        self.exchange.softphones.gone(&self.extension);
        self.exchange.placed.browser(&self.extension, false);
        self.hang_up_all();
    }
}

impl PhoneState {
    async fn connect(
        &mut self,
        myself: &ActorRef<PhoneMsg>,
        offer: String,
    ) -> Result<Connection, Refusal> {
        self.pages += 1;
        let page = self.pages;
        let phone = myself.clone();
        let sink = Arc::new(move |link| {
            let _ended = phone.cast(PhoneMsg::Link { page, link });
        });
        let connected = self.exchange.engine.browser(offer, self.codec, sink).await;
        let (browser, answer) = connected.map_err(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "no audio for a browser");
            Refusal::Conflict { code: "audio-not-agreed", detail: error.to_string() }
        })?;
        self.link = Link::Connecting;
        let (view, receiver) = watch::channel(self.view());
        // The page before sees its view end, and its browser's audio with it.
        self.page = Some(Page { number: page, browser, view, is_there: true });
        self.talk(self.talks_with);
        Ok(Connection { answer, view: receiver, page, phone: myself.clone() })
    }

    fn has(&self, page: u64) -> bool {
        self.page.as_ref().is_some_and(|current| current.number == page)
    }

    fn left(&mut self, myself: &ActorRef<PhoneMsg>, page: u64) {
        if let Some(current) = self.page.as_mut().filter(|current| current.number == page) {
            current.is_there = false;
            drop(myself.send_after(AWAY, move || PhoneMsg::Away { page }));
        }
    }

    /// Whether the page that was missed, or the first one, has not come (back).
    fn is_away(&self, page: u64) -> bool {
        match &self.page {
            Some(current) => current.number == page && !current.is_there,
            None => page == 0,
        }
    }

    /// Nobody came back. Who still talks may do so to the end; then the phone is gone.
    fn give_page_up(&mut self, myself: &ActorRef<PhoneMsg>, page: u64) {
        if self.link == Link::Up && !self.phone.is_quiet() {
            drop(myself.send_after(AWAY, move || PhoneMsg::Away { page }));
            return;
        }
        self.hang_up_all();
        myself.stop(None);
    }

    fn pressed(&mut self, page: u64, input: Input) -> Result<(), Refusal> {
        if !self.has(page) {
            let detail = "another page has this phone now".into();
            return Err(Refusal::Conflict { code: "phone-replaced", detail });
        }
        self.step(input).map_err(|refused| Refusal::Conflict {
            code: match refused {
                Refused::NoCall(_) => "call-ended",
                Refused::NotRinging => "call-not-ringing",
                Refused::WrongState => "call-not-connected",
            },
            detail: refused.to_string(),
        })
    }

    /// What the machine can not refuse.
    pub(super) fn follow(&mut self, input: Input) {
        if let Err(refused) = self.step(input) {
            tracing::debug!(extension = %self.extension, %refused, "a phone's input was refused");
        }
    }

    fn step(&mut self, input: Input) -> Result<(), Refused> {
        for effect in self.phone.step(self.exchange.clock.now(), input)? {
            self.carry_out(effect);
        }
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Ring(line) => self.tell(line, FromPhone::Ringing),
            Effect::Answer(line) => self.answer(line),
            Effect::Rejoin { line, held } => self.rejoin(line, held),
            Effect::End { line, declined } => {
                let status = declined.then_some(DECLINED);
                self.tell(line, FromPhone::Ended { by: EndedBy::User, status });
            }
            Effect::Offer { line, held } => {
                let ear = self.legs.get_mut(&line).and_then(|leg| leg.ear.as_mut());
                if let Some(sdp) = ear.map(|ear| ear.offer(held)) {
                    self.tell(line, FromPhone::Offered(sdp));
                }
            }
            Effect::Refer { line, to, replaces } => self.refer(line, to, replaces),
            Effect::Merge { line, with } => self.merge(line, with),
            Effect::Talk(line) => self.talk(line),
            Effect::Forget(line) => drop(self.legs.remove(&line)),
        }
    }

    pub(super) fn talk(&mut self, line: Option<Line>) {
        self.talks_with = line;
        let Some(page) = &self.page else { return };
        let leg = line.and_then(|line| self.legs.get(&line));
        page.browser.talk_with(leg.and_then(|leg| leg.ear.as_ref()).map(|ear| &ear.jack));
    }

    fn view(&self) -> PhoneView {
        let calls = self.phone.calls().map(|(line, talk)| PhoneCall {
            line,
            call: talk.call,
            state: talk.state,
            outgoing: talk.outgoing,
            number: talk.number.clone(),
            name: talk.name.clone(),
            since: talk.since,
        });
        PhoneView {
            link: self.link,
            calls: calls.collect(),
            transfer_failed: self.phone.transfer_failed(),
        }
    }

    fn show(&self) {
        let Some(page) = &self.page else { return };
        let now = self.view();
        page.view.send_if_modified(|shown| {
            let differs = *shown != now;
            *shown = now;
            differs
        });
    }
}
