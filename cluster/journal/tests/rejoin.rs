//! A member whose store is damaged comes back with a new number and everything.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tandem_journal::transport::{Answer, Inlet, Lane, Peer, Transport, TransportError};
use tandem_journal::{
    Append, Begin, Cluster, Config, Entity, Journal, Kind, OpenError, Record, Timing,
};
use tandem_kernel::{Clock, Position};
use tokio::runtime::Handle;

/// Requests pass between members in memory; their stores are on the disk.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<HashMap<u64, Inlet>>>);

struct Plug(u64, Wire, Handle);

impl Transport for Plug {
    fn serve(&self, inlet: Inlet) {
        self.1.0.lock().unwrap().insert(self.0, inlet);
    }

    fn ask(&self, peer: &Peer, lane: Lane, request: Bytes, deadline: Duration) -> Answer {
        let found = self.1.0.lock().unwrap().get(&peer.node).cloned();
        let (from, runtime) = (self.0, self.2.clone());
        Box::pin(async move {
            let down = || TransportError::Unreachable("it is down".to_owned());
            let inlet = found.ok_or_else(down)?;
            let answered = runtime.spawn(async move { inlet.answer(from, lane, request).await });
            let answered = tokio::time::timeout(deadline, answered).await;
            let answered = answered.map_err(|_| TransportError::TimedOut)?;
            answered.map_err(|e| TransportError::Broken(e.to_string()))
        })
    }
}

impl Wire {
    async fn open(&self, dir: &Path, node: u64, begin: Begin) -> Result<Journal, OpenError> {
        let transport = Arc::new(Plug(node, self.clone(), Handle::current()));
        let cluster = Cluster { transport, address: format!("member-{node}"), begin };
        // A busy machine may stop a thread for longer than the usual time-outs.
        let timing = Timing {
            heartbeat: Duration::from_millis(200),
            election_min: Duration::from_secs(1),
            election_max: Duration::from_secs(2),
            patience: Duration::from_secs(20),
            recovery: Duration::from_secs(20),
        };
        let config = Config::new(dir, Clock::start());
        Journal::open(Config { node, timing, cluster: Some(cluster), ..config }).await
    }

    async fn join(&self, group: &Journal, dir: &Path, node: u64) -> Journal {
        let (wire, dir) = (self.clone(), dir.to_owned());
        let opening = tokio::spawn(async move { wire.open(&dir, node, Begin::Join).await });
        group.add_learner(Peer { node, address: format!("member-{node}") }).await.unwrap();
        let joined = opening.await.unwrap().unwrap();
        for _ in 0..200 {
            if group.promote(node).await.is_ok() {
                return joined;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("member {node} is not promoted");
    }
}

fn append(count: u32) -> Append {
    Append {
        entity: Entity::new(Kind(1), format!("e{}", count % 3)),
        expected: None,
        epoch: 1,
        op_id: None,
        events: vec![Bytes::from(count.to_be_bytes().to_vec())],
    }
}

async fn records_until(journal: &Journal, head: Position) -> Vec<Record> {
    let mut records = journal.subscribe(Position::START);
    let mut found = Vec::new();
    while records.position() < head {
        let next = tokio::time::timeout(Duration::from_secs(20), records.next()).await;
        found.push(next.expect("in time").unwrap());
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_replica_is_set_aside_and_the_node_comes_back_with_a_new_number() {
    let base = tempfile::tempdir().unwrap();
    let dir = |node: u64| base.path().join(format!("journal-{node}"));
    let wire = Wire::default();
    let first = wire.open(&dir(1), 1, Begin::Found).await.unwrap();
    let second = wire.join(&first, &dir(2), 2).await;
    let third = wire.join(&first, &dir(3), 3).await;
    for count in 0..200 {
        first.append(append(count)).await.unwrap();
    }
    records_until(&third, first.head()).await;

    third.close().await.unwrap();
    let database = dir(3).join("state/db");
    let len = fs::metadata(&database).unwrap().len();
    File::options().write(true).open(&database).unwrap().set_len(len / 2).unwrap();
    let refused = wire.open(&dir(3), 3, Begin::Join).await;
    assert!(matches!(refused, Err(OpenError::Damaged { .. })));
    let aside = Journal::set_aside(&dir(3), Clock::start().now()).unwrap();
    let node = first.next_node().await.unwrap();
    let back = wire.join(&first, &dir(3), node).await;
    first.remove(3).await.unwrap();
    for count in 200..300 {
        back.append(append(count)).await.unwrap();
    }

    assert!(aside.join("state/db").exists());
    assert!(node > 3, "{node}");
    let all = records_until(&first, Position::at(300)).await;
    assert_eq!(records_until(&back, Position::at(300)).await, all);
    assert_eq!(records_until(&second, Position::at(300)).await, all);
    let voters: Vec<u64> = back.status().voters.iter().map(|peer| peer.node).collect();
    assert_eq!(voters, [1, 2, node]);
    for journal in [first, second, back] {
        journal.close().await.unwrap();
    }
}
