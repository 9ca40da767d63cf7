//! Events for `curl` and scripts. A reader that stalls stalls only its own stream, until the
//! listener cuts its connection.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, BoxStream, Stream, StreamExt};
use tandem_actors::office::FeedItem;
use tokio::sync::watch;
use tokio::time::{Interval, interval};

use super::{Client, drained};
use crate::convert;
use crate::operation::{Call, Reply};
use crate::problem::Problem;

/// What a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(2);

/// What happens next in a stream.
enum Step {
    Fact(FeedItem),
    Look,
}

struct Following {
    client: Client,
    facts: BoxStream<'static, FeedItem>,
    draining: watch::Receiver<bool>,
    look: Interval,
}

pub(super) async fn open(call: Call) -> Result<Reply, Problem> {
    let client = Client::of(&call)?;
    let last = call.headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let from = client.position(last.or_else(|| call.query("from")))?;
    let kinds = call.query("kinds").unwrap_or_default();
    let kinds = kinds.split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
    let every = call.edge.limits.ping_interval;
    // The first event names the position, so that a client that sees no fact can resume too.
    let hello = Event::default().event("hello").id(from.to_string()).retry(RETRY).data("{}");
    let following = Following {
        facts: client.facts(from, kinds),
        draining: call.edge.draining(),
        look: interval(every),
        client,
    };
    let events = stream::iter([Ok(hello)]).chain(follow(following));
    let alive = KeepAlive::new().interval(every);
    Ok(Reply::Raw(Sse::new(events).keep_alive(alive).into_response()))
}

fn follow(following: Following) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(following, |mut following| async move {
        let event = following.next().await?;
        Some((Ok(event), following))
    })
}

impl Following {
    /// The next event; none when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let step = tokio::select! {
                item = self.facts.next() => Step::Fact(item?),
                _ = self.look.tick() => Step::Look,
                () = drained(&mut self.draining) => return None,
            };
            let Step::Fact(item) = step else {
                self.client.renew().ok()?;
                continue;
            };
            if !self.client.may_see(&item) {
                continue;
            }
            let id = item.position.to_string();
            let data = serde_json::to_string(&convert::event(item)).ok()?;
            return Some(Event::default().id(id).data(data));
        }
    }
}
