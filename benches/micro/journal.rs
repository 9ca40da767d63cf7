//! Appends that wait for the disk, so many at a time. Each is one event of 200 octets with an
//! operation id and its entity's expected version, as a call appends it.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use divan::Bencher;
use divan::counter::ItemsCount;
use tandem_journal::{Append, Config, Entity, Journal, Kind};
use tandem_kernel::Clock;
use tokio::runtime::Runtime;

#[divan::bench(args = [1, 64, 512], sample_count = 60, sample_size = 1)]
fn append_and_wait(bencher: Bencher<'_, '_>, in_flight: usize) {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let journal =
        runtime.block_on(async { Journal::open(Config::new(dir.path(), Clock::start())).await });
    let journal = journal.unwrap();
    let count = AtomicU64::new(0);
    let event = Bytes::from(vec![b'x'; 200]);
    bencher.counter(ItemsCount::new(in_flight)).bench(|| {
        runtime.block_on(async {
            let waiting: Vec<_> = (0..in_flight)
                .map(|_| {
                    let number = count.fetch_add(1, Ordering::Relaxed);
                    journal.append(Append {
                        entity: Entity::new(Kind(1), number.to_string()),
                        expected: Some(0),
                        epoch: 1,
                        op_id: Some(u128::from(number)),
                        events: vec![event.clone()],
                    })
                })
                .collect();
            for append in waiting {
                append.await.unwrap();
            }
        });
    });
    runtime.block_on(journal.close()).unwrap();
}
