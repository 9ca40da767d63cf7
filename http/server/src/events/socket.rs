//! Events over a WebSocket.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, header};
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, BoxStream, FuturesUnordered, SelectAll, StreamExt};
use tandem_actors::office::FeedItem;
use tandem_api::event::{ClientMessage, ServerMessage, close};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::pictures::Topic;
use super::{Client, drained};
use crate::convert;
use crate::identity::SUBPROTOCOL;
use crate::operation::{Call, Reply, read};
use crate::pipeline::{self, Wish};
use crate::problem::{Code, Problem};

/// The longest message of a client.
const MESSAGE_BYTES: usize = 64 * 1024;
/// What is read at once: the library clears as much before each look, and clients say little.
const READ_BYTES: usize = 4 * 1024;
/// Messages of a client between two pings.
const MESSAGES: u32 = 600;
/// Commands of a client that run at once.
const COMMANDS: usize = 16;
/// Topics of a client.
const TOPICS: usize = 100;
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
    Picture(Arc<str>),
    Done(ServerMessage),
    Look,
    Drain,
}

struct Conversation {
    client: Client,
    peer: Option<IpAddr>,
    socket: WebSocket,
    facts: BoxStream<'static, FeedItem>,
    topics: Vec<Topic>,
    pictures: SelectAll<BoxStream<'static, Arc<str>>>,
    commands: FuturesUnordered<BoxFuture<'static, ServerMessage>>,
    silent: u32,
    heard: u32,
}

pub(super) async fn open(mut call: Call) -> Result<Reply, Problem> {
    let client = Client::of(&call)?;
    let upgrade = upgrade(&mut call).await?;
    let peer = call.peer;
    Ok(Reply::Raw(upgrade.on_upgrade(move |socket| {
        let conversation = Conversation {
            client,
            peer,
            socket,
            facts: stream::pending().boxed(),
            topics: Vec::new(),
            pictures: SelectAll::new(),
            commands: FuturesUnordered::new(),
            silent: 0,
            heard: 0,
        };
        conversation.run()
    })))
}

/// The upgrade that a request asks for, with our limits.
pub(crate) async fn upgrade(call: &mut Call) -> Result<WebSocketUpgrade, Problem> {
    same_origin(&call.headers)?;
    let no_upgrade = || Problem::parameter("Upgrade", "an upgrade to a WebSocket is needed");
    let mut head = call.head.take().ok_or_else(no_upgrade)?;
    let upgrade = WebSocketUpgrade::from_request_parts(&mut head, &()).await;
    let upgrade = upgrade.map_err(|_| no_upgrade())?.protocols([SUBPROTOCOL]);
    let upgrade = upgrade.read_buffer_size(READ_BYTES);
    Ok(upgrade.max_message_size(MESSAGE_BYTES).max_frame_size(MESSAGE_BYTES))
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
            let closing = async {
                if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                    // To hang up on a client that still speaks would take back what is on its
                    // way to it (RFC 6455 section 7.1.1).
                    while let Some(Ok(_)) = self.socket.recv().await {}
                }
            };
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
                Some(picture) = self.pictures.next() => Step::Picture(picture),
                Some(reply) = self.commands.next() => Step::Done(reply),
                _ = ping.tick() => Step::Look,
                () = drained(&mut draining) => Step::Drain,
            };
            match step {
                Step::Heard(heard) => self.hear(heard).await?,
                Step::Fact(item) => self.tell(item).await?,
                Step::Picture(text) => self.send(Message::Text((&*text).into())).await?,
                Step::Done(reply) => self.say(&reply).await?,
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
            Message::Text(text) => match self.obey(text.as_str()) {
                Ok(Some(answer)) => self.say(&answer).await,
                Ok(None) => Ok(()),
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

    /// Does what a message asks for; gives the answer, unless it comes later.
    fn obey(&mut self, text: &str) -> Result<Option<ServerMessage>, Problem> {
        let value = serde_json::from_str(text)
            .map_err(|error| Problem::new(Code::MalformedJson, error.to_string()))?;
        match read(value)? {
            ClientMessage::Subscribe { from, kinds } => {
                let from = self.client.position(from.as_deref())?;
                self.facts = self.client.facts(from, kinds);
                Ok(Some(ServerMessage::Subscribed { from: from.to_string() }))
            }
            ClientMessage::Watch { topics } => self.watch(&topics).map(|()| None),
            ClientMessage::Command { id, operation, path, query, body, if_match } => {
                let wish = Wish { operation, path, query, body, if_match };
                Ok(self.command(id, wish))
            }
        }
    }

    fn watch(&mut self, topics: &[String]) -> Result<(), Problem> {
        if topics.len() > TOPICS {
            return Err(Problem::field("/topics", "too-many", format!("at most {TOPICS}")));
        }
        let mut wanted = Vec::new();
        for (index, text) in topics.iter().enumerate() {
            let unknown = || {
                let pointer = format!("/topics/{index}");
                Problem::field(&pointer, "unknown-topic", "agents, calls or queue:<number>")
            };
            let topic = Topic::parse(text).ok_or_else(unknown)?;
            topic.is_open_to(&self.client.edge, &self.client.principal)?;
            wanted.push(topic);
        }
        self.topics = wanted;
        self.follow_topics();
        Ok(())
    }

    fn follow_topics(&mut self) {
        let edge = &self.client.edge;
        self.pictures = self.topics.iter().map(|topic| edge.pictures.of(edge, topic)).collect();
    }

    fn command(&mut self, id: u64, wish: Wish) -> Option<ServerMessage> {
        if self.commands.len() >= COMMANDS {
            let problem = Problem::too_many("too many commands are under way", 1);
            return Some(reply(id, Err(problem)));
        }
        let (edge, peer) = (self.client.edge.clone(), self.peer);
        let credential = self.client.credential.clone();
        let work = async move { reply(id, pipeline::command(edge, credential, peer, wish).await) };
        self.commands.push(work.boxed());
        None
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
        self.forget_closed_topics();
        self.silent += 1;
        self.heard = 0;
        if self.silent > SILENT_PINGS {
            return Err(End::Gone);
        }
        self.send(Message::Ping(Vec::new().into())).await
    }

    /// A right, or a membership, may have been taken away.
    fn forget_closed_topics(&mut self) {
        let (edge, principal) = (&self.client.edge, &self.client.principal);
        let before = self.topics.len();
        // A queue that was removed is told as such.
        self.topics.retain(|topic| match topic.is_open_to(edge, principal) {
            Ok(()) => true,
            Err(problem) => problem.code == Code::NotFound,
        });
        if self.topics.len() < before {
            self.follow_topics();
        }
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

fn reply(id: u64, outcome: Result<pipeline::Done, Problem>) -> ServerMessage {
    match outcome {
        Ok(done) => ServerMessage::Reply {
            id,
            status: done.status,
            etag: done.etag,
            body: done.body,
            problem: None,
        },
        Err(problem) => {
            let problem = problem.outward("");
            let (status, etag, body) = (problem.status, None, None);
            ServerMessage::Reply { id, status, etag, body, problem: Some(problem) }
        }
    }
}
