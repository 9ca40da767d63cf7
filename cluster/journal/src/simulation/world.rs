//! Members in one process, in virtual time: a network that delays, loses and cuts, and disks
//! that lose power.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tandem_kernel::Clock;
use tandem_store::Store;
use tandem_store::memory::Disk;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::engine;
use crate::transport::{Answer, Inlet, Lane, Peer, Transport, TransportError};
use crate::verify;
use crate::{Begin, Cluster, Config, Journal, Timing};

/// Seeded chance (xorshift).
#[derive(Clone)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound.max(1)
    }

    pub(super) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

struct Network {
    inlets: HashMap<u64, Inlet>,
    /// One-way cuts.
    cuts: HashSet<(u64, u64)>,
    /// Raised by each crash: what an earlier life says, until it notices, is not heard.
    lives: HashMap<u64, u64>,
    lost_percent: u64,
    chance: Chance,
}

type Shared = Arc<Mutex<Network>>;

/// One member's plug, for one life.
struct Plug {
    node: u64,
    life: u64,
    network: Shared,
}

/// The life of a member that is running now.
fn life(network: &Shared, node: u64) -> u64 {
    network.lock().lives.get(&node).copied().unwrap_or_default()
}

impl Transport for Plug {
    fn serve(&self, inlet: Inlet) {
        self.network.lock().inlets.insert(self.node, inlet);
    }

    fn ask(&self, peer: &Peer, lane: Lane, request: Bytes, deadline: Duration) -> Answer {
        let (network, from, to, of) = (Arc::clone(&self.network), self.node, peer.node, self.life);
        Box::pin(async move {
            let carried = async {
                if life(&network, from) != of {
                    std::future::pending::<()>().await;
                }
                carry(network, from, to, lane, request).await
            };
            let carried = timeout(deadline, carried).await;
            carried.unwrap_or(Err(TransportError::TimedOut))
        })
    }
}

async fn carry(
    network: Shared,
    from: u64,
    to: u64,
    lane: Lane,
    request: Bytes,
) -> Result<Bytes, TransportError> {
    way(&network, from, to).await;
    let asked = life(&network, to);
    let inlet = network.lock().inlets.get(&to).cloned();
    let Some(inlet) = inlet else {
        return Err(TransportError::Unreachable("it is down".to_owned()));
    };
    // What has arrived is done, whether or not the asker still waits.
    let answered = tokio::spawn(async move { inlet.answer(from, lane, request).await });
    let answer = answered.await.map_err(|e| TransportError::Broken(e.to_string()))?;
    if life(&network, to) != asked {
        // It has lost its power over the question.
        std::future::pending::<()>().await;
    }
    way(&network, to, from).await;
    Ok(answer)
}

/// The time on the way; for ever for what is lost.
async fn way(network: &Shared, from: u64, to: u64) {
    let (delay, is_lost) = {
        let mut network = network.lock();
        let lost_percent = network.lost_percent;
        let is_lost = network.chance.below(100) < lost_percent;
        let delay = Duration::from_micros(100 + network.chance.below(3_000));
        (delay, is_lost || network.cuts.contains(&(from, to)))
    };
    if is_lost {
        std::future::pending::<()>().await;
    }
    sleep(delay).await;
}

type Work = Box<dyn FnOnce() + Send>;

/// Syncs one after the other, until the power goes.
#[derive(Clone)]
struct Syncs {
    queue: Arc<Mutex<mpsc::UnboundedSender<Work>>>,
    chance: Arc<Mutex<Chance>>,
}

impl Syncs {
    fn new(chance: Chance) -> Self {
        let chance = Arc::new(Mutex::new(chance));
        let queue = Arc::new(Mutex::new(Self::spin(Arc::clone(&chance))));
        Self { queue, chance }
    }

    fn spin(chance: Arc<Mutex<Chance>>) -> mpsc::UnboundedSender<Work> {
        let (sender, mut works) = mpsc::unbounded_channel::<Work>();
        tokio::spawn(async move {
            while let Some(work) = works.recv().await {
                let delay = Duration::from_micros(200 + chance.lock().below(4_000));
                sleep(delay).await;
                // Whoever has cut the power closed the queue: what waited never happens.
                if works.is_closed() {
                    return;
                }
                work();
            }
        });
        sender
    }

    fn restart(&self) {
        *self.queue.lock() = Self::spin(Arc::clone(&self.chance));
    }
}

struct Member {
    dir: TempDir,
    disk: Disk,
    syncs: Syncs,
    journal: Option<Journal>,
}

/// The members, their network and their disks. Clones share them.
#[derive(Clone)]
pub(super) struct World {
    network: Shared,
    members: Arc<Mutex<BTreeMap<u64, Member>>>,
    chance: Arc<Mutex<Chance>>,
    clock: Clock,
}

const TIMING: Timing = Timing {
    heartbeat: Duration::from_millis(50),
    election_min: Duration::from_millis(250),
    election_max: Duration::from_millis(500),
    patience: Duration::from_secs(2),
    recovery: Duration::from_millis(500),
};

impl World {
    /// A group of members 1 to `count`, all voters.
    pub(super) async fn new(seed: u64, count: u64) -> Self {
        let chance = Chance::new(seed);
        let network = Network {
            inlets: HashMap::new(),
            cuts: HashSet::new(),
            lives: HashMap::new(),
            lost_percent: 0,
            chance: chance.clone(),
        };
        let world = Self {
            network: Arc::new(Mutex::new(network)),
            members: Arc::default(),
            chance: Arc::new(Mutex::new(chance)),
            clock: Clock::start(),
        };
        world.start(1, Begin::Found).await;
        for node in 2..=count {
            world.join(node).await;
            world.promote(node).await;
        }
        world
    }

    pub(super) fn peer(node: u64) -> Peer {
        Peer { node, address: format!("member-{node}") }
    }

    /// Adds a member as a learner.
    pub(super) async fn join(&self, node: u64) {
        let joining = self.clone();
        let opened = tokio::spawn(async move { joining.start(node, Begin::Join).await });
        self.any().add_learner(Self::peer(node)).await.unwrap();
        opened.await.unwrap();
    }

    pub(super) async fn promote(&self, node: u64) {
        for _ in 0..100 {
            match self.any().promote(node).await {
                Ok(()) => return,
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
        panic!("member {node} is not promoted");
    }

    /// Starts a member on what its disk holds.
    pub(super) async fn start(&self, node: u64, begin: Begin) {
        let (dir, disk) = {
            let mut members = self.members.lock();
            let member = members.entry(node).or_insert_with(|| self.fresh(node));
            (member.dir.path().to_owned(), member.disk.clone())
        };
        let opened = self.open(node, &dir, &disk, begin).await;
        let mut members = self.members.lock();
        members.get_mut(&node).unwrap().journal = Some(opened);
    }

    fn fresh(&self, node: u64) -> Member {
        let syncs = Syncs::new(Chance::new(self.random(u64::MAX) ^ node));
        let queue = Arc::clone(&syncs.queue);
        let delay = Arc::new(move |work: Work| {
            let _gone = queue.lock().send(work);
        });
        let dir = tempfile::tempdir().unwrap();
        Member { dir, disk: Disk::new(delay), syncs, journal: None }
    }

    async fn open(&self, node: u64, dir: &Path, disk: &Disk, begin: Begin) -> Journal {
        let life = life(&self.network, node);
        let plug = Plug { node, life, network: Arc::clone(&self.network) };
        let cluster =
            Cluster { transport: Arc::new(plug), address: format!("member-{node}"), begin };
        let config =
            Config { node, timing: TIMING, cluster: Some(cluster), ..Config::new(dir, self.clock) };
        let log = Store::open_on(disk, &dir.join("log")).unwrap();
        let state = Store::open_on(disk, &dir.join("state")).unwrap();
        let stores = verify::open_on(dir, node, log, state).expect("what was synced is whole");
        let (opened, _served) = engine::start_here(config, stores).await.unwrap();
        Journal::of(opened, self.clock, TIMING.patience)
    }

    /// Takes a member's power away; of its last writes some may have been kept.
    pub(super) fn crash(&self, node: u64) {
        {
            let mut network = self.network.lock();
            network.inlets.remove(&node);
            *network.lives.entry(node).or_default() += 1;
        }
        let kept = usize::try_from(self.random(4)).unwrap();
        let mut members = self.members.lock();
        let member = members.get_mut(&node).unwrap();
        member.syncs.restart();
        member.disk.lose_power(kept);
        if let Some(journal) = member.journal.take() {
            tokio::spawn(async move { journal.members().writer.raft.shutdown().await });
        }
    }

    /// A member's journal and its life, when it is up.
    pub(super) fn journal(&self, node: u64) -> Option<(Journal, u64)> {
        let members = self.members.lock();
        let member = members.get(&node)?;
        Some((member.journal.clone()?, life(&self.network, node)))
    }

    pub(super) fn any(&self) -> Journal {
        let members = self.members.lock();
        members.values().find_map(|member| member.journal.clone()).expect("one is up")
    }

    pub(super) fn nodes(&self) -> Vec<u64> {
        self.members.lock().keys().copied().collect()
    }

    pub(super) fn is_up(&self, node: u64) -> bool {
        self.journal(node).is_some()
    }

    pub(super) fn cut(&self, from: u64, to: u64) {
        self.network.lock().cuts.insert((from, to));
    }

    /// Cuts a member off in both directions.
    pub(super) fn isolate(&self, node: u64) {
        for other in self.nodes() {
            self.cut(node, other);
            self.cut(other, node);
        }
    }

    pub(super) fn lose(&self, percent: u64) {
        self.network.lock().lost_percent = percent;
    }

    pub(super) fn heal(&self) {
        let mut network = self.network.lock();
        network.cuts.clear();
        network.lost_percent = 0;
    }

    pub(super) fn random(&self, bound: u64) -> u64 {
        self.chance.lock().below(bound)
    }

    pub(super) fn pause(&self, from: u64, to: u64) -> Duration {
        self.chance.lock().millis(from, to)
    }

    /// The member that all that are up take for the leader, once they agree.
    pub(super) async fn leader(&self) -> u64 {
        for _ in 0..400 {
            let members = self.nodes();
            let told: HashSet<_> = members
                .iter()
                .filter_map(|node| self.journal(*node))
                .map(|(journal, _)| journal.status().leader)
                .collect();
            if let Some(Some(leader)) = told.iter().next().copied()
                && told.len() == 1
                && self.is_up(leader)
            {
                return leader;
            }
            sleep(Duration::from_millis(25)).await;
        }
        panic!("no leader is agreed on");
    }
}
