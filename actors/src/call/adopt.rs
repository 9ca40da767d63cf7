//! Goes on with the calls of a member that died, or of this node before it was started again.

use std::sync::Arc;
use std::time::Duration;

use tandem_journal::{Append, AppendError};
use tandem_kernel::CallId;

use super::actor::{CallArgs, Start};
use super::kept::{KeptEvent, append};
use super::message::CallMsg;
use crate::entity;
use crate::exchange::Exchange;
use crate::records::Records;

/// How often, and how long apart, a call's newest picture is looked for.
const LOOKS: u16 = 500;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Goes on with the open calls that `is_ours` names. Those of which nothing is kept are closed:
/// they rang, or were in a menu.
pub async fn adopt(
    exchange: Arc<Exchange>,
    records: Records,
    is_ours: impl Fn(CallId) -> bool + Send,
) {
    let ours: Vec<CallId> = records.open().into_iter().filter(|call| is_ours(*call)).collect();
    if ours.is_empty() {
        return;
    }
    tracing::warn!(calls = ours.len(), "calls of a member that is gone");
    let each = ours.into_iter().map(|call| {
        let (exchange, records) = (exchange.clone(), records.clone());
        // From here on nobody is told that the call is gone.
        exchange.kept.set_coming(call, true);
        async move {
            one(exchange.clone(), records, call).await;
            exchange.kept.set_coming(call, false);
        }
    });
    futures::future::join_all(each).await;
}

async fn one(exchange: Arc<Exchange>, records: Records, call: CallId) {
    let of_before = exchange.kept.home(call);
    for _ in 0..LOOKS {
        let kept = exchange.kept.of(call);
        let Some(picture) = kept.picture else {
            return close(&exchange, &records, call).await;
        };
        let event = KeptEvent::TakenOver { by: exchange.journal.node() };
        match append(&exchange.journal, call, kept.version, &event).await {
            Ok(appended) => {
                let version = appended.version;
                if is_ours(&exchange, &records, call, version).await {
                    let start = Start::Adopt { kept: picture, version, from: of_before };
                    go_on(&exchange, &records, call, start).await;
                }
                return;
            }
            // Its member had kept another picture, or somebody else was first: it is read soon.
            Err(AppendError::VersionConflict { .. }) => {
                tokio::time::sleep(LOOK_AGAIN).await;
                if exchange.kept.home(call) != of_before {
                    return;
                }
            }
            Err(error) => {
                tracing::error!(%call, %error, "a call could not be taken over");
                return;
            }
        }
    }
}

/// Whether this member has a call by the fact that it has appended, when that is read here: the
/// call may have ended before it, and where the answer took long, another member may have taken
/// the call over behind it. A member that was cut off or stopped meanwhile may have lost the call
/// by a fact that it has not read: it knows when it is heard again.
async fn is_ours(exchange: &Exchange, records: &Records, call: CallId, version: u64) -> bool {
    let mut looks = 0;
    while looks < LOOKS {
        if !exchange.placed.placement().may_speak() {
            tokio::time::sleep(LOOK_AGAIN).await;
            continue;
        }
        looks += 1;
        if exchange.kept.version(call) >= version {
            return exchange.kept.home(call) == exchange.journal.node();
        }
        if !records.is_open(call) {
            return false;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    false
}

async fn go_on(exchange: &Arc<Exchange>, records: &Records, call: CallId, start: Start) {
    let args = CallArgs { id: call, exchange: exchange.clone(), start };
    match exchange.calls.spawn(args).await {
        // What was read before the call could be found nobody has told it.
        Ok(actor) if exchange.kept.home(call) != exchange.journal.node() => {
            let _gone = actor.cast(CallMsg::TakenOver);
        }
        Ok(_) => {}
        Err(error) => {
            tracing::error!(%call, %error, "a call could not be taken over");
            close(exchange, records, call).await;
        }
    }
}

async fn close(exchange: &Exchange, records: &Records, call: CallId) {
    let Some(event) = records.interrupted(call, exchange.clock.now()) else { return };
    let closed = exchange.journal.keep(Append {
        entity: entity::call(call),
        expected: None,
        epoch: 0,
        op_id: None,
        events: vec![entity::encode(&event)],
    });
    if let Err(error) = closed.await {
        tracing::error!(%call, %error, "an interrupted call was not closed");
    }
}
