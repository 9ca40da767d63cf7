//! Events over a WebSocket.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, header};
use futures::stream::{self, BoxStream, StreamExt};
use tandem_actors::office::FeedItem;
use tandem_api::event::{ClientMessage, ServerMessage, close};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Client, drained};
use crate::convert;
use crate::operation::{Call, Reply, read};
use crate::problem::{Code, Problem};

/// The longest message of a client.
const MESSAGE_BYTES: usize = 64 * 1024;
/// Messages of a client between two pings.
const MESSAGES: u32 = 100;
/// Pings without a sign of life from the client before it counts as gone.
const SILENT_PINGS: u32 = 2;
/// How long a close frame may take.
const CLOSING: Duration = Duration::from_secs(1);
/// RFC 6455 section 7.4.1: policy violation.
const POLICY: u16 = 1008;

/// Why a connection ends: with a close code, or without a word.
enum End {
    Close(u16, &'static str),
    Gone,
}

/// What happens next in a conversation.
enum Step {
    Heard(Option<Result<Message, axum::Error>>),
    Fact(Option<FeedItem>),
    Look,
    Drain,
}

struct Conversation {
    client: Client,
    socket: WebSocket,
    facts: BoxStream<'static, FeedItem>,
    silent: u32,
    heard: u32,
}

pub(super) async fn open(mut call: Call) -> Result<Reply, Problem> {
    same_origin(&call.headers)?;
    let client = Client::of(&call)?;
    let no_upgrade = || Problem::parameter("Upgrade", "an upgrade to a WebSocket is needed");
    let mut head = call.head.take().ok_or_else(no_upgrade)?;
    let upgrade = WebSocketUpgrade::from_request_parts(&mut head, &()).await;
    let upgrade = upgrade.map_err(|_| no_upgrade())?;
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES).max_frame_size(MESSAGE_BYTES);
    Ok(Reply::Raw(upgrade.on_upgrade(move |socket| {
        let facts = stream::pending().boxed();
        Conversation { client, socket, facts, silent: 0, heard: 0 }.run()
    })))
}

/// Browsers name the page's origin; the pages of other sites may not listen.
fn same_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return Ok(()) };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    if authority.is_some() && authority == text(header::HOST) {
        return Ok(());
    }
    Err(Problem::new(Code::WrongOrigin, "the page's origin is not this node"))
}

impl Conversation {
    async fn run(mut self) {
        let Err(end) = self.talk().await else { return };
        if let End::Close(code, reason) = end {
            let frame = CloseFrame { code, reason: reason.into() };
            let closing = self.socket.send(Message::Close(Some(frame)));
            // Who does not take it in time is cut off.
            let _untold = timeout(CLOSING, closing).await;
        }
    }

    async fn talk(&mut self) -> Result<(), End> {
        let position = self.client.edge.office.head().to_string();
        self.say(&ServerMessage::Hello { position }).await?;
        let mut draining = self.client.edge.draining();
        let mut ping = interval(self.client.edge.limits.ping_interval);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                heard = self.socket.recv() => Step::Heard(heard),
                item = self.facts.next() => Step::Fact(item),
                _ = ping.tick() => Step::Look,
                () = drained(&mut draining) => Step::Drain,
            };
            match step {
                Step::Heard(heard) => self.hear(heard).await?,
                Step::Fact(item) => self.tell(item).await?,
                Step::Look => self.look().await?,
                Step::Drain => return Err(End::Close(close::DRAINING, "draining")),
            }
        }
    }

    async fn hear(&mut self, heard: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let Some(Ok(message)) = heard else { return Err(End::Gone) };
        self.silent = 0;
        self.heard += 1;
        if self.heard > MESSAGES {
            return Err(End::Close(POLICY, "too many messages"));
        }
        match message {
            Message::Text(text) => match self.subscribe(text.as_str()) {
                Ok(from) => self.say(&ServerMessage::Subscribed { from }).await,
                Err(problem) => {
                    let problem = problem.outward("");
                    self.say(&ServerMessage::Problem { problem }).await
                }
            },
            Message::Binary(_) => Err(End::Close(POLICY, "text messages only")),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => Err(End::Gone),
        }
    }

    fn subscribe(&mut self, text: &str) -> Result<String, Problem> {
        let value = serde_json::from_str(text)
            .map_err(|error| Problem::new(Code::MalformedJson, error.to_string()))?;
        let ClientMessage::Subscribe { from, kinds } = read(value)?;
        let from = self.client.position(from.as_deref())?;
        self.facts = self.client.facts(from, kinds);
        Ok(from.to_string())
    }

    async fn tell(&mut self, item: Option<FeedItem>) -> Result<(), End> {
        let Some(item) = item else { return Err(End::Close(close::DRAINING, "journal closed")) };
        if !self.client.may_see(&item) {
            return Ok(());
        }
        self.say(&ServerMessage::Event(convert::event(item))).await
    }

    async fn look(&mut self) -> Result<(), End> {
        self.client.renew().map_err(|code| End::Close(code, "not allowed any more"))?;
        self.silent += 1;
        self.heard = 0;
        if self.silent > SILENT_PINGS {
            return Err(End::Gone);
        }
        self.send(Message::Ping(Vec::new().into())).await
    }

    async fn say(&mut self, message: &ServerMessage) -> Result<(), End> {
        let text = serde_json::to_string(message).map_err(|_| End::Gone)?;
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        let patience = self.client.edge.limits.event_patience;
        match timeout(patience, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Close(close::TOO_SLOW, "too slow")),
        }
    }
}
