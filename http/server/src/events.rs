//! The event stream, as WebSocket and as server-sent events: the journal's facts, in order,
//! resumable after any position.
//!
//! | Concern                                   | Owner     |
//! |-------------------------------------------|-----------|
//! | What a client may see, from where on      | this module |
//! | Over a WebSocket                          | `socket`  |
//! | As server-sent events                     | `sse`     |
//! | Pictures of the floor                     | `pictures`|
//! | Connections of pages                      | `tickets` |
//!
//! A client that reads slowly costs no memory: the next fact is taken from the journal only when
//! the one before has been written.

mod pictures;
pub(crate) mod socket;
mod sse;
mod tickets;

pub(crate) use pictures::Pictures;
pub(crate) use tickets::Tickets;

use axum::http::Method;
use axum::http::header::{ACCEPT, UPGRADE};
use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::json;
use tandem_actors::office::{FeedItem, Principal};
use tandem_api::event::{Ticket, close};
use tandem_config::Kind;
use tandem_kernel::Position;
use tandem_telemetry::metric;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::edge::Edge;
use crate::identity::{self, Credential};
use crate::operation::{Answer, Call, Operation, Parameter, Reply, Shape, handler};
use crate::problem::{Code, Problem};
use crate::rights::{Permission, Scope, authorize};

const TICKET: Parameter = Parameter {
    name: "ticket",
    what: "A ticket of `POST /api/v1/ws-tickets` in the place of a token.",
};

const QUERY: &[Parameter] = &[
    TICKET,
    Parameter { name: "from", what: "Position after which to begin; the newest if left out." },
    Parameter { name: "kinds", what: "Kinds that are wanted, separated by commas." },
];

/// A client of the event stream.
struct Client {
    edge: Edge,
    principal: Principal,
    credential: Credential,
    _place: Place,
}

/// A place among the clients; counted while it is held.
struct Place {
    edge: Edge,
    permit: Option<OwnedSemaphorePermit>,
}

impl Place {
    fn take(edge: &Edge) -> Result<Self, Problem> {
        let permit = edge.event_clients.clone().try_acquire_owned().map_err(|_| {
            Problem::unavailable(Code::Unavailable, "there are too many event clients")
        })?;
        let place = Self { edge: edge.clone(), permit: Some(permit) };
        place.count();
        Ok(place)
    }

    fn count(&self) {
        let free = self.edge.event_clients.available_permits();
        let taken = self.edge.limits.event_clients.saturating_sub(free);
        metric::EVENT_CLIENTS.set(taken as u64);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.permit = None;
        self.count();
    }
}

impl Client {
    fn of(call: &Call) -> Result<Self, Problem> {
        let caller = call.caller()?;
        Ok(Self {
            edge: call.edge.clone(),
            principal: caller.principal.clone(),
            credential: caller.credential.clone(),
            _place: Place::take(&call.edge)?,
        })
    }

    /// Looks again whether the client may still listen; else the close code.
    fn renew(&mut self) -> Result<(), u16> {
        let principal = identity::again(&self.edge, &self.credential);
        let principal = principal.ok_or(close::UNAUTHENTICATED)?;
        if authorize(principal.role, Permission::EventsRead) == Scope::Nothing {
            return Err(close::FORBIDDEN);
        }
        self.principal = principal;
        Ok(())
    }

    fn may_see(&self, item: &FeedItem) -> bool {
        match authorize(self.principal.role, Permission::EventsRead) {
            Scope::Nothing => false,
            Scope::Own => {
                let of_extension =
                    ["agent", "registration", "voicemail"].contains(&item.kind.as_str());
                of_extension && self.principal.extension.as_ref() == Some(&item.key)
            }
            Scope::All => {
                let accounts = [Kind::User.as_str(), Kind::ApiToken.as_str()];
                !accounts.contains(&item.kind.as_str())
                    || authorize(self.principal.role, Permission::AccountsRead) == Scope::All
            }
        }
    }

    /// The position that a client names; none: the newest.
    fn position(&self, text: Option<&str>) -> Result<Position, Problem> {
        let newest = self.edge.office.head();
        let Some(text) = text else { return Ok(newest) };
        let wrong = |detail| Problem::parameter("from", detail);
        let position: Position = text.parse().map_err(|_| wrong("not a position"))?;
        if position.partition != newest.partition {
            return Err(wrong("the journal has no such partition"));
        }
        if position > newest {
            return Err(wrong("the position is after the newest one"));
        }
        Ok(position)
    }

    /// The facts after a position; of these kinds, unless there are none.
    fn facts(&self, from: Position, kinds: Vec<String>) -> BoxStream<'static, FeedItem> {
        let feed = self.edge.office.feed(Some(from));
        let wanted = move |item: &FeedItem| kinds.is_empty() || kinds.contains(&item.kind);
        feed.filter(move |item| std::future::ready(wanted(item))).boxed()
    }
}

/// Waits until the node drains.
pub(crate) async fn drained(draining: &mut watch::Receiver<bool>) {
    if draining.wait_for(|draining| *draining).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The events in the form that is asked for: a browser's `EventSource` says what it accepts, and
/// a WebSocket asks for its upgrade.
async fn open(call: Call) -> Result<Reply, Problem> {
    let accepts = call.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let wants_stream = accepts.is_some_and(|accepts| accepts.contains("text/event-stream"));
    if wants_stream && !call.headers.contains_key(UPGRADE) {
        return sse::open(call).await;
    }
    socket::open(call).await
}

/// The operations of the event stream.
pub(crate) fn operations() -> Vec<Operation> {
    let path = "/api/v1/events";
    let stream = "/api/v1/events/stream";
    let ticket = json!({ "ticket": "0f1e2d", "expires_at": "2026-01-05T09:00:30.000Z" });
    vec![
        Operation::new(
            "issueTicket",
            Method::POST,
            "/api/v1/ws-tickets",
            "Issue a ticket that opens one WebSocket or event stream within 30 seconds",
            handler!(tickets::issue),
        )
        .needs(Permission::EventsRead)
        .tag("events")
        .created(Shape::of::<Ticket>(ticket))
        .secret(),
        Operation::new(
            "openEvents",
            Method::GET,
            path,
            "Follow the events over a WebSocket; messages are ClientMessage and ServerMessage. \
             Who accepts text/event-stream gets server-sent events",
            handler!(open),
        )
        .needs(Permission::EventsRead)
        .tag("events")
        .query(QUERY)
        .answers(Answer::Events),
        Operation::new(
            "streamEvents",
            Method::GET,
            stream,
            "Follow the events as server-sent events; Last-Event-ID resumes",
            handler!(sse::open),
        )
        .needs(Permission::EventsRead)
        .tag("events")
        .query(QUERY)
        .answers(Answer::EventStream),
    ]
}
