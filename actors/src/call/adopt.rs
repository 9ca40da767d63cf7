//! Goes on with the calls of a member that died, or of this node before it was started again.

use std::sync::Arc;
use std::time::Duration;

use tandem_journal::{Append, AppendError};
use tandem_kernel::CallId;

use super::actor::{CallArgs, Start};
use super::kept::{KeptEvent, append};
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
    let each = ours.into_iter().map(|call| one(exchange.clone(), records.clone(), call));
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
                let (kept, version) = (picture, appended.version);
                let start = Start::Adopt { kept, version, from: of_before };
                let args = CallArgs { id: call, exchange: exchange.clone(), start };
                if let Err(error) = exchange.calls.spawn(args).await {
                    tracing::error!(%call, %error, "a call could not be taken over");
                    close(&exchange, &records, call).await;
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
