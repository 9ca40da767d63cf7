//! Calls that queues want made for customers who asked for it.

use std::sync::Arc;

use tandem_kernel::CallId;

use super::{CallArgs, Start};
use crate::call::machine::STAY;
use crate::call::message::CallMsg;
use crate::exchange::Exchange;
use crate::queue::request::ReturnCall;
use crate::queue::{Sender, Sent};

/// Starts such calls. Until one runs, and while it does, the queue's notices wait in order.
pub(crate) fn sender(exchange: &Arc<Exchange>) -> Sender {
    let exchange = Arc::clone(exchange);
    Arc::new(move |sent| {
        let exchange = Arc::clone(&exchange);
        tandem_kernel::spawn("callback", run(exchange, sent));
    })
}

/// When this ends the queue's way to the call is closed, and the queue finds it so.
async fn run(exchange: Arc<Exchange>, sent: Sent) {
    let Sent { wanted, mut notices } = sent;
    if exchange.calls.admit(exchange.clock.now()).is_err() {
        tracing::warn!(queue = %wanted.queue, "no room for a callback now");
        return;
    }
    let queue = wanted.queue.clone();
    let id = CallId::fresh_at(exchange.journal.node());
    let start = Start::Return(wanted);
    let args = CallArgs { id, exchange: Arc::clone(&exchange), start };
    let call = match exchange.calls.spawn(args).await {
        Ok(call) => call,
        Err(error) => {
            tracing::error!(%queue, %error, "failed to start a callback");
            return;
        }
    };
    while let Some(notice) = notices.recv().await {
        let notice = CallMsg::Queue { queue: queue.clone(), stay: Some(STAY), notice };
        if call.cast(notice).is_err() {
            return;
        }
    }
}

/// What is dialled: an extension that had called is called inside, all else by the queue's route
///
pub(super) fn dialled(exchange: &Exchange, wanted: &ReturnCall) -> String {
    let is_inside = exchange.provisioning.directory().extension(&wanted.number).is_some();
    if is_inside { wanted.number.clone() } else { format!("{}{}", wanted.prefix, wanted.number) }
}
