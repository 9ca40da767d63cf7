#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use bytes::Bytes;
use openraft::StorageError;
use openraft::entry::RaftEntry;
use openraft::testing::log::{StoreBuilder, Suite};
use proptest::prelude::*;
use tandem_kernel::{Clock, Position, Timestamp};
use tandem_store::{Options, Store};
use tandem_wire::{encode, encode_versioned};
use tempfile::TempDir;

use crate::error::AppendError;
use crate::format::{
    Applied, Chunk, EntityState, Page, Proposal, SnapshotHead, StoredRecord, entity_key,
};
use crate::group::{Batch, Group};
use crate::log::Log;
use crate::record::{Append, Appended, Entity, Kind};
use crate::records::Records;
use crate::referee::{OP_WINDOW, Operations, PAGE, evolve, judge, records_of};
use crate::state::State;
use crate::{Config, Journal};

struct Builder;

impl StoreBuilder<Group, Log, State, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, Log, State), StorageError<Group>> {
        let dir = tempfile::tempdir().unwrap();
        let log = Store::open(&dir.path().join("log"), &Options::default()).unwrap();
        let state = Store::open(&dir.path().join("state"), &Options::default()).unwrap();
        let records = Arc::new(Records::new(state, 0));
        let log = Log::new(log).unwrap();
        // The suite applies entries that it never appends.
        let durable = tokio::sync::watch::Sender::new(u64::MAX).subscribe();
        let state = State::new(records, Applied::default(), Operations::default(), durable);
        Ok((dir, log, state))
    }
}

#[tokio::test]
async fn the_engines_own_storage_suite_passes() {
    Suite::test_all(Builder).await.unwrap();
}

fn proposal(expected: Option<u64>, epoch: u64, events: &[&'static str]) -> Proposal {
    Proposal {
        entity: Entity::new(Kind(7), "q1"),
        expected,
        epoch,
        op_id: Some(300),
        at: Timestamp::from_micros(250),
        events: events.iter().map(|event| Bytes::from_static(event.as_bytes())).collect(),
    }
}

#[test]
fn the_bytes_of_a_stored_chunk_are_frozen() {
    let record = StoredRecord {
        entity: Entity::new(Kind(7), "q1"),
        version: 3,
        epoch: 2,
        op_id: Some(300),
        at: Timestamp::from_micros(250),
        event: Bytes::from_static(b"ab"),
    };

    let bytes = encode_versioned(&Chunk { records: vec![record] });

    let golden = [1, 0, 1, 7, 2, b'q', b'1', 3, 2, 1, 0xfb, 0x2c, 0x01, 250, 2, b'a', b'b'];
    assert_eq!(bytes, golden);
    assert_eq!(tandem_wire::decode_versioned::<Chunk>(&golden, 100).unwrap().records.len(), 1);
}

#[test]
fn the_bytes_of_a_log_entry_are_frozen() {
    let batch = Batch { proposals: Arc::from([proposal(Some(4), 2, &["ab"])]) };
    let leader = openraft::impls::leader_id_adv::LeaderId { term: 1, node_id: 9 };
    let entry =
        openraft::alias::EntryOf::<Group>::new_normal(openraft::LogId::new(leader, 5), batch);

    let golden =
        [1, 9, 5, 1, 1, 7, 2, b'q', b'1', 1, 4, 2, 1, 0xfb, 0x2c, 0x01, 250, 1, 2, b'a', b'b'];
    assert_eq!(encode(&entry), golden);
}

#[test]
fn the_bytes_of_states_pages_and_keys_are_frozen() {
    let state = EntityState { version: 2, epoch: 1, recent: vec![5, 6] };

    assert_eq!(encode_versioned(&state), [1, 0, 2, 1, 2, 5, 6]);
    assert_eq!(encode_versioned(&Page { indices: vec![5, 6] }), [1, 0, 2, 5, 6]);
    assert_eq!(encode_versioned(&SnapshotHead { version: 2, parts: 1 }), [1, 0, 2, 1]);
    assert_eq!(entity_key(&Entity::new(Kind(7), "q1")), [7, 0, 2, b'q', b'1']);
    assert_eq!(encode_versioned(&Applied::default()), [1, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn an_append_with_a_moved_version_or_a_stale_epoch_is_refused() {
    let state = EntityState { version: 4, epoch: 2, recent: vec![] };

    let moved = judge(&state, &proposal(Some(3), 2, &["a"]));
    let stale = judge(&state, &proposal(Some(4), 1, &["a"]));

    assert_eq!(moved, Err(AppendError::VersionConflict { actual: 4 }));
    assert_eq!(stale, Err(AppendError::StaleEpoch { current: 2 }));
    assert_eq!(judge(&state, &proposal(Some(4), 3, &["a"])), Ok(()));
    assert_eq!(judge(&state, &proposal(None, 2, &["a"])), Ok(()));
}

#[test]
fn an_operation_is_remembered_for_the_window_and_no_longer() {
    let mut operations = Operations::default();
    let at = |index| Appended { position: Position::at(index), version: 1 };
    operations.note(1, at(1));

    assert_eq!(operations.find(1, OP_WINDOW), Some(at(1)));
    assert_eq!(operations.find(1, OP_WINDOW + 1), None);
}

#[test]
fn what_a_restart_remembers_of_operations_is_what_the_run_did() {
    let at = |index| Appended { position: Position::at(index), version: 1 };
    let head = OP_WINDOW * 3;
    let mut whole = Operations::default();
    let mut late = Operations::default();
    for index in (1..=head).step_by(97) {
        whole.note(u128::from(index), at(index));
        if index > OP_WINDOW {
            late.note(u128::from(index), at(index));
        }
    }

    for index in (1..=head).step_by(97) {
        let op_id = u128::from(index);
        assert_eq!(whole.find(op_id, head), late.find(op_id, head));
        assert_eq!(whole.find(op_id, head).is_some(), index + OP_WINDOW > head);
    }
}

proptest! {
    #[test]
    fn versions_are_contiguous_and_every_index_is_listed_once(
        appends in prop::collection::vec(1_usize..40, 1..20),
    ) {
        let mut state = EntityState::default();
        let mut listed = Vec::new();
        let mut index = 0;
        for events in appends {
            let proposal = proposal(Some(state.version), 1, &vec!["e"; events]);
            for record in records_of(&state, &proposal, proposal.at) {
                index += 3;
                prop_assert_eq!(record.version, state.version + 1);
                if let Some((version, page)) = evolve(&mut state, &record, index) {
                    prop_assert_eq!(page.len(), PAGE);
                    listed.extend(page);
                    prop_assert_eq!(u64::try_from(listed.len()).unwrap(), version);
                }
            }
        }
        listed.extend(&state.recent);

        let expected: Vec<u64> = (1..=state.version).map(|version| version * 3).collect();
        prop_assert_eq!(listed, expected);
    }
}

#[tokio::test]
async fn a_copy_holds_records_entities_and_operations() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let journal = Journal::open(Config::new(dirs[0].path(), Clock::start())).await.unwrap();
    let append = |n: u64| Append {
        entity: Entity::new(Kind(1), format!("e{}", n % 3)),
        expected: None,
        epoch: 4,
        op_id: Some(u128::from(n)),
        events: vec![Bytes::from(n.to_string())],
    };
    for n in 0..200 {
        journal.append(append(n)).await.unwrap();
    }
    let entity = Entity::new(Kind(1), "e0");
    let expected = journal.load(&entity).await.unwrap();
    let state = Store::open(&dirs[1].path().join("state"), &Options::default()).unwrap();
    let old = journal.append(append(199)).await.unwrap();

    // As a restart does that finds a copy whose installation was cut short.
    let upto = journal.export(&crate::transfer::incoming_of(&state)).await.unwrap();
    state.close().unwrap();
    journal.close().await.unwrap();
    let state_dir = dirs[1].path().join("state");
    let store = Store::open(&state_dir, &Options::default()).unwrap();
    let incoming = crate::transfer::incoming_of(&store);
    let mut operations = Operations::default();
    let applied = crate::transfer::install(&store, &incoming, &mut operations).unwrap();

    let records = Records::new(store, applied.head);
    assert_eq!(upto, Position::at(200));
    assert_eq!(records.load(&entity).unwrap(), expected);
    assert_eq!(operations.find(199, applied.head), Some(old));
    assert!(!incoming.exists());
}
