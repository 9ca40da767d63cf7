//! The thread that runs the journal: the consensus group and the proposer that feeds it.
//!
//! It has a runtime of its own because the database blocks: no disk's pause may hold a packet.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use openraft::{BasicNode, Raft};
use tandem_kernel::Timestamp;
use tandem_store::Store;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::contact::{Confirmed, Contact};
use crate::error::{AppendError, OpenError, ReadError};
use crate::format::{Proposal, cost};
use crate::group::{self, Batch, Group, Outcomes, RECOVERY};
use crate::handle::{Begin, Config};
use crate::inlet::Inlet;
use crate::log::Log;
use crate::members::{self, Members, Status};
use crate::network::Links;
use crate::pace::{self, Rest};
use crate::record::{Append, Appended};
use crate::records::Records;
use crate::state::State;
use crate::transport::{Alone, Transport};
use crate::verify;
use crate::writer::Writer;

// Appends that wait: a second of a busy node. Beyond it the node is too slow for its load.
const MOST_WAITING: usize = 16_384;
// One entry must stay below the store's limit for a value.
const MOST_ENTRY_COST: usize = 88 * 1024;
// Appends taken from the queue at once.
const MOST_TAKEN: usize = 1_024;
// Entries that are on their way to the disk: one is synced while the next is collected. In a
// cluster the leader may change between two, and they would commit out of their order.
const MOST_IN_FLIGHT_ALONE: usize = 2;
const MOST_IN_FLIGHT: usize = 1;

/// What the thread is asked.
pub(crate) enum Request {
    Append(Proposed),
    Close(oneshot::Sender<Result<(), ReadError>>),
}

/// An append on its way.
pub(crate) struct Proposed {
    pub(crate) append: Append,
    pub(crate) at: Timestamp,
    /// When the caller's patience ends.
    pub(crate) until: Instant,
    pub(crate) reply: Reply,
}

type Reply = oneshot::Sender<Result<Appended, AppendError>>;
type Write = Pin<Box<dyn Future<Output = Result<Outcomes, AppendError>> + Send>>;

/// What users of an open journal need of it.
pub(crate) struct Opened {
    pub(crate) requests: mpsc::Sender<Request>,
    /// Told of what shall not wait for more.
    pub(crate) hurry: Arc<Notify>,
    pub(crate) records: Arc<Records>,
    pub(crate) members: Members,
    pub(crate) node: u64,
    pub(crate) is_shared: bool,
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
        let stores = verify::open(&config.dir, config.node, config.cache_bytes);
        let dir = config.dir.clone();
        let opened_engine = match stores {
            Ok(stores) => Engine::open(config, stores).await,
            Err(error) => Err(error),
        };
        let opened_engine = opened_engine.and_then(|engine| verify::mark(&dir).map(|()| engine));
        match opened_engine {
            Ok((engine, parts, requests)) => {
                // An opener who went away closes the journal by dropping the sender.
                let _ = opened.send(Ok(parts));
                engine.serve(requests).await;
            }
            Err(error) => {
                let _ = opened.send(Err(error));
            }
        }
    });
}

/// Opens a journal on the runtime of the caller, for simulations in virtual time.
#[cfg(test)]
pub(crate) async fn start_here(
    config: Config,
    stores: verify::Opened,
) -> Result<(Opened, tokio::task::JoinHandle<()>), OpenError> {
    let (engine, parts, requests) = Engine::open(config, stores).await?;
    Ok((parts, tokio::spawn(engine.serve(requests))))
}

struct Engine {
    writer: Writer,
    log: Store,
    is_alone: bool,
    waiting: VecDeque<Proposed>,
    in_flight: FuturesOrdered<Write>,
    // The replies of each write in flight, in the same order.
    replies: VecDeque<Vec<Reply>>,
    // From the last entry to the next.
    rest: Rest,
    hurry: Arc<Notify>,
    op_ids: OpIds,
}

impl Engine {
    async fn open(
        config: Config,
        opened: verify::Opened,
    ) -> Result<(Self, Opened, mpsc::Receiver<Request>), OpenError> {
        let records = Arc::new(Records::new(opened.state, opened.applied.head));
        let log = Log::new(opened.log.clone())?;
        let (applied, operations) = (opened.applied, opened.operations);
        let state = State::new(Arc::clone(&records), applied, operations, log.durable());
        let cluster = config.cluster.clone();
        let transport: Arc<dyn Transport> =
            cluster.map_or_else(|| Arc::new(Alone) as _, |cluster| cluster.transport);
        let raft = new_group(&config, Arc::clone(&transport), log, state).await?;
        let contact = Arc::new(Contact::new(config.timing.election_max));
        if config.cluster.is_some() {
            tokio::spawn(Arc::clone(&contact).keep_pulse());
        }
        let inlet =
            Inlet::new(config.node, raft.clone(), Arc::clone(&records), Arc::clone(&contact));
        transport.serve(inlet);
        begin(&raft, &config).await?;
        let patience = config.timing.patience;
        let writer = Writer { raft, transport, records: Arc::clone(&records), patience };
        let (told, status) = watch::channel(Status::default());
        tokio::spawn(members::follow(writer.clone(), told));
        let members = Members { writer: writer.clone(), contact, status };
        let (requests, asked) = mpsc::channel(MOST_WAITING);
        let hurry = Arc::new(Notify::new());
        let engine = Self {
            writer,
            log: opened.log,
            is_alone: config.cluster.is_none(),
            waiting: VecDeque::new(),
            in_flight: FuturesOrdered::new(),
            replies: VecDeque::new(),
            rest: Rest::after(Instant::now(), 0),
            hurry: Arc::clone(&hurry),
            op_ids: OpIds::new(config.node, config.clock.now()),
        };
        let (node, is_shared) = (config.node, config.cluster.is_some());
        Ok((engine, Opened { requests, hurry, records, members, node, is_shared }, asked))
    }

    const fn most_in_flight(&self) -> usize {
        if self.is_alone { MOST_IN_FLIGHT_ALONE } else { MOST_IN_FLIGHT }
    }

    async fn serve(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut taken = Vec::with_capacity(MOST_TAKEN);
        let mut closer = None;
        loop {
            let may_take = self.replies.len() < self.most_in_flight() && self.waiting.is_empty();
            if !may_take && self.replies.is_empty() {
                self.propose().await;
                continue;
            }
            tokio::select! {
                Some(written) = self.in_flight.next() => self.answer(written),
                count = pace::take(&mut requests, &mut taken, MOST_TAKEN, self.rest, &self.hurry),
                    if may_take =>
                {
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
        self.settle().await;
        let outcome = self.close().await;
        if let Some(closer) = closer {
            let _ = closer.send(outcome);
        }
    }

    /// Waits for what is on its way, in a cluster for as long as a caller would.
    async fn settle(&mut self) {
        let patience = self.writer.patience;
        let is_alone = self.is_alone;
        let settled = async {
            while let Some(written) = self.in_flight.next().await {
                self.answer(written);
                self.propose().await;
            }
        };
        if is_alone {
            settled.await;
        } else if tokio::time::timeout(patience, settled).await.is_err() {
            let lost = self.replies.iter().map(Vec::len).sum::<usize>() + self.waiting.len();
            tracing::error!(lost, "the node ends without a quorum: what waited for one is lost");
        }
    }

    /// Writes what waits, as few entries as it fits in.
    async fn propose(&mut self) {
        while self.replies.len() < self.most_in_flight() && !self.waiting.is_empty() {
            let Some((batch, replies, until)) = self.next_batch() else { return };
            let write = if self.is_alone {
                write_alone(self.writer.raft.clone(), batch).await
            } else {
                let writer = self.writer.clone();
                Box::pin(async move { writer.write(batch, until).await }) as Write
            };
            self.in_flight.push_back(write);
            self.rest = Rest::after(Instant::now(), replies.len());
            self.replies.push_back(replies);
        }
    }

    /// What fits into one entry, and when the patience of the last caller ends.
    fn next_batch(&mut self) -> Option<(Batch, Vec<Reply>, Instant)> {
        let mut proposals = Vec::new();
        let mut replies = Vec::new();
        let mut total = 0;
        let mut until = None;
        while let Some(next) = self.waiting.front() {
            total += cost(&next.append);
            if total > MOST_ENTRY_COST && !proposals.is_empty() {
                break;
            }
            let Some(next) = self.waiting.pop_front() else { break };
            if !self.is_alone && next.until <= Instant::now() {
                let _ = next.reply.send(Err(AppendError::Unavailable));
                continue;
            }
            until = until.max(Some(next.until));
            let mut proposal = Proposal::new(next.append, next.at);
            if !self.is_alone {
                proposal.op_id.get_or_insert_with(|| self.op_ids.next());
            }
            proposals.push(proposal);
            replies.push(next.reply);
        }
        until.map(|until| (Batch { proposals: Arc::from(proposals) }, replies, until))
    }

    fn answer(&mut self, written: Result<Outcomes, AppendError>) {
        let replies = self.replies.pop_front().unwrap_or_default();
        let failure = match written {
            Ok(outcomes) => {
                for (reply, outcome) in replies.into_iter().zip(outcomes.0) {
                    // A caller that dropped its outcome did not want to know.
                    let _ = reply.send(outcome);
                }
                return;
            }
            Err(failure) => failure,
        };
        tracing::error!(%failure, appends = replies.len(), "journal write failed");
        for reply in replies {
            let _ = reply.send(Err(failure.clone()));
        }
    }

    async fn close(self) -> Result<(), ReadError> {
        if let Err(error) = self.writer.raft.shutdown().await {
            tracing::warn!(%error, "the consensus engine ended badly");
        }
        let state = self.writer.records.close();
        let log = self.log.close();
        Ok(state.and(log)?)
    }
}

/// Without others the log takes the entries in the order in which they are handed to it.
async fn write_alone(raft: Raft<Group, State>, batch: Batch) -> Write {
    let (responder, written) = openraft::impls::ProgressResponder::complete_only();
    // A failure drops the responder, which the answer then sees.
    let _ = raft.client_write_ff(batch, Some(responder)).await;
    Box::pin(async move {
        match written.await {
            Ok(Ok(response)) => Ok(response.data),
            Ok(Err(error)) => Err(AppendError::Storage(error.to_string())),
            Err(_) => {
                let stopped = "the consensus engine has stopped".to_owned();
                Err(AppendError::Storage(stopped))
            }
        }
    })
}

async fn new_group(
    config: &Config,
    transport: Arc<dyn Transport>,
    log: Log,
    state: State,
) -> Result<Raft<Group, State>, OpenError> {
    let engine = group::config(&config.timing, config.cluster.is_none());
    let engine = engine.validate().map_err(|e| failed(&e))?;
    let confirmed = Confirmed::default();
    let links = Links { node: config.node, transport, confirmed: confirmed.clone() };
    let raft = Raft::new(config.node, Arc::new(engine), links, log, state).await;
    let raft = raft.map_err(|e| failed(&e))?;
    confirmed.by(raft.clone());
    Ok(raft)
}

/// Waits until this member has what it had when it ended, or what the group had when it joined.
async fn begin(raft: &Raft<Group, State>, config: &Config) -> Result<(), OpenError> {
    let begin = config.cluster.as_ref().map(|cluster| (cluster.begin, cluster.address.clone()));
    let is_new = !raft.is_initialized().await.map_err(|e| failed(&e))?;
    if is_new && begin.as_ref().is_none_or(|(begin, _)| *begin == Begin::Found) {
        let address = begin.as_ref().map(|(_, address)| address.clone()).unwrap_or_default();
        let members = BTreeMap::from([(config.node, BasicNode::new(address))]);
        raft.initialize(members).await.map_err(|e| failed(&e))?;
    }
    if begin.is_none() {
        let wait = raft.wait(Some(RECOVERY));
        let leads = wait.current_leader(config.node, "this node leads").await;
        leads.map_err(|e| failed(&e))?;
        raft.wait_for_recovery(Some(RECOVERY)).await.map_err(|e| failed(&e))?;
        return Ok(());
    }
    if is_new {
        let node = config.node;
        let wait = raft.wait(None);
        let joined = wait.metrics(
            |metrics| metrics.membership_config.membership().get_node(&node).is_some(),
            "this node is a member",
        );
        joined.await.map_err(|e| failed(&e))?;
        raft.wait_for_recovery(Some(RECOVERY)).await.map_err(|e| failed(&e))?;
        return Ok(());
    }
    // A member that finds no quorum opens all the same: its calls need none.
    if let Err(error) = raft.wait_for_recovery(Some(config.timing.recovery)).await {
        tracing::warn!(%error, "the journal opens without a quorum");
    }
    Ok(())
}

fn failed(error: &dyn std::fmt::Display) -> OpenError {
    OpenError::Consensus(error.to_string())
}

/// Op ids that no other append has: of the member, its start and a count.
struct OpIds {
    start: u128,
    count: u64,
}

impl OpIds {
    fn new(node: u64, start: Timestamp) -> Self {
        // 24 bits of the node, 56 bits of the start in microseconds (2,284 years), 48 bits to
        // count: a member that starts twice in a microsecond can not be.
        let node = u128::from(node & 0xff_ffff) << 104;
        let start = u128::from(start.as_micros() & 0xff_ffff_ffff_ffff) << 48;
        Self { start: node | start, count: 0 }
    }

    fn next(&mut self) -> u128 {
        self.count += 1;
        self.start | u128::from(self.count)
    }
}
