//! The thread that runs the journal: the consensus group and the proposer that feeds it.
//!
//! It has a runtime of its own because the database blocks: no disk's pause may hold a packet.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use openraft::raft::ClientWriteResult;
use openraft::{BasicNode, Raft};
use tandem_kernel::Timestamp;
use tandem_store::Store;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::error::{AppendError, OpenError, ReadError};
use crate::format::{Proposal, cost};
use crate::group::{Alone, Batch, Group, RECOVERY, config};
use crate::handle::Config;
use crate::log::Log;
use crate::record::{Append, Appended};
use crate::records::Records;
use crate::state::State;
use crate::verify;

// Appends that wait: a second of a busy node. Beyond it the node is too slow for its load.
const MOST_WAITING: usize = 16_384;
// One entry must stay below the store's limit for a value.
const MOST_ENTRY_COST: usize = 88 * 1024;
// Appends taken from the queue at once.
const MOST_TAKEN: usize = 1_024;
// Entries that are on their way to the disk: one is synced while the next is collected.
const MOST_IN_FLIGHT: usize = 2;
// An entry costs some 400 us of CPU and an append in it 10 us, so entries keep a distance in
// which appends collect. The first after a rest goes at once; call set-up waits for none.
const REST: Duration = Duration::from_millis(2);
// With so many waiting there is nothing to wait for.
const ENOUGH: usize = 64;

/// What the thread is asked.
pub(crate) enum Request {
    Append(Proposed),
    Close(oneshot::Sender<Result<(), ReadError>>),
}

/// An append on its way.
pub(crate) struct Proposed {
    pub(crate) append: Append,
    pub(crate) at: Timestamp,
    pub(crate) reply: Reply,
}

type Reply = oneshot::Sender<Result<Appended, AppendError>>;
type Write = Pin<Box<dyn Future<Output = Option<ClientWriteResult<Group>>> + Send>>;

/// What users of an open journal need of it.
pub(crate) struct Opened {
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) records: Arc<Records>,
}

/// Opens a journal on a new thread.
pub(crate) async fn start(config: Config) -> Result<Opened, OpenError> {
    let (opened, outcome) = oneshot::channel();
    std::thread::Builder::new()
        .name("journal".into())
        .spawn(move || run(config, opened))
        .map_err(|error| OpenError::Consensus(error.to_string()))?;
    let died = |_| OpenError::Consensus("the journal's thread ended".to_owned());
    outcome.await.map_err(died)?
}

fn run(config: Config, opened: oneshot::Sender<Result<Opened, OpenError>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = opened.send(Err(OpenError::Consensus(error.to_string())));
            return;
        }
    };
    runtime.block_on(async move {
        match Engine::open(config).await {
            Ok((engine, requests)) => {
                let records = Arc::clone(&engine.records);
                // An opener who went away closes the journal by dropping the sender.
                let _ = opened.send(Ok(Opened { requests: requests.0, records }));
                engine.serve(requests.1).await;
            }
            Err(error) => {
                let _ = opened.send(Err(error));
            }
        }
    });
}

type Requests = (mpsc::Sender<Request>, mpsc::Receiver<Request>);

struct Engine {
    raft: Raft<Group, State>,
    records: Arc<Records>,
    log: Store,
    waiting: VecDeque<Proposed>,
    in_flight: FuturesOrdered<Write>,
    // The replies of each write in flight, in the same order.
    replies: VecDeque<Vec<Reply>>,
    // Not before this is the next entry begun.
    rest_until: Instant,
}

impl Engine {
    async fn open(config: Config) -> Result<(Self, Requests), OpenError> {
        let opened = verify::open(&config.dir, config.node, config.cache_bytes)?;
        let records = Arc::new(Records::new(opened.state, opened.applied.head));
        let state = State::new(Arc::clone(&records), opened.applied, opened.operations);
        let log = Log::new(opened.log.clone());
        let raft = start_group(config.node, log, state).await?;
        let engine = Self {
            raft,
            records,
            log: opened.log,
            waiting: VecDeque::new(),
            in_flight: FuturesOrdered::new(),
            replies: VecDeque::new(),
            rest_until: Instant::now(),
        };
        Ok((engine, mpsc::channel(MOST_WAITING)))
    }

    async fn serve(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut taken = Vec::with_capacity(MOST_TAKEN);
        let mut closer = None;
        loop {
            let may_take = self.replies.len() < MOST_IN_FLIGHT && self.waiting.is_empty();
            if !may_take && self.replies.is_empty() {
                self.propose().await;
                continue;
            }
            tokio::select! {
                Some(written) = self.in_flight.next() => self.answer(written),
                count = take(&mut requests, &mut taken, self.rest_until), if may_take => {
                    if count == 0 {
                        break;
                    }
                }
            }
            for request in taken.drain(..) {
                match request {
                    Request::Append(proposed) => self.waiting.push_back(proposed),
                    Request::Close(reply) => {
                        requests.close();
                        closer = Some(reply);
                    }
                }
            }
            self.propose().await;
        }
        while let Some(written) = self.in_flight.next().await {
            self.answer(written);
            self.propose().await;
        }
        let outcome = self.close().await;
        if let Some(closer) = closer {
            let _ = closer.send(outcome);
        }
    }

    /// Writes what waits, as few entries as it fits in.
    async fn propose(&mut self) {
        while self.replies.len() < MOST_IN_FLIGHT && !self.waiting.is_empty() {
            let (batch, replies) = self.next_batch();
            let (responder, written) = openraft::impls::ProgressResponder::complete_only();
            // A failure drops the responder, which the answer then sees.
            let _ = self.raft.client_write_ff(batch, Some(responder)).await;
            self.in_flight.push_back(Box::pin(async move { written.await.ok() }));
            self.rest_until = Instant::now() + REST;
            self.replies.push_back(replies);
        }
    }

    fn next_batch(&mut self) -> (Batch, Vec<Reply>) {
        let mut proposals = Vec::new();
        let mut replies = Vec::new();
        let mut total = 0;
        while let Some(next) = self.waiting.front() {
            total += cost(&next.append);
            if total > MOST_ENTRY_COST && !proposals.is_empty() {
                break;
            }
            let Some(Proposed { append, at, reply }) = self.waiting.pop_front() else { break };
            proposals.push(Proposal::new(append, at));
            replies.push(reply);
        }
        (Batch { proposals: Arc::from(proposals) }, replies)
    }

    fn answer(&mut self, written: Option<ClientWriteResult<Group>>) {
        let replies = self.replies.pop_front().unwrap_or_default();
        let failure = match written {
            Some(Ok(response)) => {
                for (reply, outcome) in replies.into_iter().zip(response.data.0) {
                    // A caller that dropped its outcome did not want to know.
                    let _ = reply.send(outcome);
                }
                return;
            }
            Some(Err(error)) => error.to_string(),
            None => "the consensus engine has stopped".to_owned(),
        };
        tracing::error!(failure, appends = replies.len(), "journal write failed");
        for reply in replies {
            let _ = reply.send(Err(AppendError::Storage(failure.clone())));
        }
    }

    async fn close(self) -> Result<(), ReadError> {
        if let Err(error) = self.raft.shutdown().await {
            tracing::warn!(%error, "the consensus engine ended badly");
        }
        let state = self.records.close();
        let log = self.log.close();
        Ok(state.and(log)?)
    }
}

/// Takes what waits, at least one request; none when nobody can ask any more.
async fn take(
    requests: &mut mpsc::Receiver<Request>,
    taken: &mut Vec<Request>,
    rest_until: Instant,
) -> usize {
    if requests.len() < ENOUGH {
        tokio::time::sleep_until(rest_until).await;
    }
    requests.recv_many(taken, MOST_TAKEN).await
}

/// Starts the group and waits until this node leads it and has applied its log.
async fn start_group(node: u64, log: Log, state: State) -> Result<Raft<Group, State>, OpenError> {
    let failed = |error: &dyn std::fmt::Display| OpenError::Consensus(error.to_string());
    let config = config().validate().map_err(|e| failed(&e))?;
    let raft = Raft::new(node, Arc::new(config), Alone, log, state).await;
    let raft = raft.map_err(|e| failed(&e))?;
    if !raft.is_initialized().await.map_err(|e| failed(&e))? {
        let members = BTreeMap::from([(node, BasicNode::default())]);
        raft.initialize(members).await.map_err(|e| failed(&e))?;
    }
    let leads = raft.wait(Some(RECOVERY)).current_leader(node, "this node leads").await;
    leads.map_err(|e| failed(&e))?;
    raft.wait_for_recovery(Some(RECOVERY)).await.map_err(|e| failed(&e))?;
    Ok(raft)
}
