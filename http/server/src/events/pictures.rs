//! Pictures of the floor: each is painted once for all who watch it, when a fact has changed it,
//! and not oftener than people can see. Whoever is slow gets the newest only.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use parking_lot::Mutex;
use tandem_actors::office::{CallView, FeedItem, Principal};
use tandem_api::event::{Picture, ServerMessage};
use tokio::sync::watch;

use crate::convert;
use crate::edge::Edge;
use crate::grants;
use crate::problem::{Code, Problem};
use crate::rights::{Permission, Scope, authorize};

/// Between two pictures of one topic.
const AT_MOST_EVERY: Duration = Duration::from_millis(100);
/// Some of what a picture shows is no fact of the journal, such as a leg that rings.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A message with a picture, as it goes over the wire.
type Painted = Option<Arc<str>>;

/// What can be watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    Agents,
    Calls,
    Queue(String),
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agents => f.write_str("agents"),
            Self::Calls => f.write_str("calls"),
            Self::Queue(number) => write!(f, "queue:{number}"),
        }
    }
}

impl Topic {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "agents" => Some(Self::Agents),
            "calls" => Some(Self::Calls),
            _ => text.strip_prefix("queue:").map(|number| Self::Queue(number.to_owned())),
        }
    }

    /// Whether somebody may watch it: as the operation that shows the same.
    pub(super) fn is_open_to(&self, edge: &Edge, principal: &Principal) -> Result<(), Problem> {
        let permission = match self {
            Self::Agents => Permission::AgentsRead,
            Self::Calls => Permission::CallsRead,
            Self::Queue(_) => Permission::QueuesRead,
        };
        let scope = authorize(principal.role, permission);
        if let Self::Queue(number) = self {
            let directory = edge.office.provisioning().directory();
            let missing =
                || Problem::not_found("queue", &number.chars().take(64).collect::<String>());
            let queue = directory.queue(number).ok_or_else(missing)?;
            if scope != Scope::Nothing && grants::sees(principal, queue) {
                return Ok(());
            }
        } else if scope == Scope::All {
            return Ok(());
        }
        Err(Problem::new(Code::Forbidden, format!("the role may not watch {self}")))
    }

    /// Whether a fact may have changed the picture.
    fn is_touched_by(&self, item: &FeedItem) -> bool {
        let kind = item.kind.as_str();
        match self {
            Self::Calls => kind == "call",
            Self::Agents => ["agent", "registration", "queue"].contains(&kind),
            Self::Queue(number) => {
                let own = kind == "queue" && item.key == *number;
                own || ["agent", "registration"].contains(&kind)
            }
        }
    }

    async fn paint(&self, edge: &Edge) -> Option<Picture> {
        match self {
            Self::Agents => {
                let agents = edge.office.agents().await;
                Some(Picture::Agents(agents.into_iter().map(convert::agent).collect()))
            }
            Self::Calls => {
                let calls = edge.office.calls().await;
                let shown = |view: CallView| {
                    let member = edge.office.member_of(view.id);
                    convert::call(view, member)
                };
                Some(Picture::Calls(calls.into_iter().map(shown).collect()))
            }
            Self::Queue(number) => {
                edge.office.queue_status(number).await.map(convert::queue).map(Picture::Queue)
            }
        }
    }
}

/// The topics that somebody watches.
#[derive(Default)]
pub(crate) struct Pictures(Mutex<HashMap<Topic, watch::Sender<Painted>>>);

impl Pictures {
    /// The pictures of a topic: the newest at once, then whenever it has changed.
    pub(super) fn of(&self, edge: &Edge, topic: &Topic) -> BoxStream<'static, Arc<str>> {
        let receiver = self.join(edge, topic);
        stream::unfold((receiver, true), |(mut receiver, is_first)| async move {
            let painted = receiver.borrow_and_update().clone();
            if is_first && let Some(picture) = painted {
                return Some((picture, (receiver, false)));
            }
            receiver.changed().await.ok()?;
            let picture = receiver.borrow_and_update().clone()?;
            Some((picture, (receiver, false)))
        })
        .boxed()
    }

    fn join(&self, edge: &Edge, topic: &Topic) -> watch::Receiver<Painted> {
        let mut topics = self.0.lock();
        if let Some(painter) = topics.get(topic) {
            return painter.subscribe();
        }
        let (painter, receiver) = watch::channel(None);
        topics.insert(topic.clone(), painter);
        tandem_kernel::spawn("picture", follow(edge.clone(), topic.clone()));
        receiver
    }

    /// Shows a picture; false when nobody watches any more.
    fn show(&self, topic: &Topic, picture: Painted) -> bool {
        let mut topics = self.0.lock();
        let Some(painter) = topics.get(topic) else { return false };
        if painter.receiver_count() == 0 {
            topics.remove(topic);
            return false;
        }
        if picture.is_some() {
            painter.send_replace(picture);
        }
        true
    }
}

async fn follow(edge: Edge, topic: Topic) {
    // From before the first picture: what comes while it is painted makes another one.
    let mut facts = edge.office.feed(None);
    let mut shown = None;
    loop {
        let position = edge.office.head().to_string();
        let state = topic.paint(&edge).await;
        let changed = shown.as_ref() != Some(&state);
        let message = changed.then(|| {
            let (topic, state) = (topic.to_string(), state.clone());
            serde_json::to_string(&ServerMessage::Snapshot { topic, position, state })
        });
        shown = Some(state);
        let picture = message.and_then(Result::ok).map(Arc::from);
        if !edge.pictures.show(&topic, picture) {
            return;
        }
        tokio::time::sleep(AT_MOST_EVERY).await;
        let is_over = loop {
            let next = tokio::time::timeout(LOOK_EVERY, facts.next()).await;
            match next {
                Ok(Some(item)) if topic.is_touched_by(&item) => break false,
                Ok(Some(_)) => {}
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        // All that has come by now is in the next picture.
        while let Some(Some(_)) = facts.next().now_or_never() {}
        if is_over {
            return;
        }
    }
}
