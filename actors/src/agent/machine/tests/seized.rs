//! An agent who picks a call up.

use super::*;

const OFFER: OfferId = OfferId(7);
const LEASE: Duration = Duration::from_secs(20);

fn seize(bench: &mut Bench, queue: &str) {
    bench.hear(queue, ToAgent::Seize { offer: OFFER, call: call(1), lease: LEASE });
}

#[test]
fn q_060_q_482_who_picks_a_call_up_is_reserved_for_it_and_free_again_after_it() {
    let mut bench = Bench::idle(&["6400", "6401"]);

    // Also for a queue whose agent they are not.
    seize(&mut bench, "6499");
    assert_eq!(bench.agent.held().map(|held| held.offer), Some(OFFER));
    assert!(!bench.agent.is_ready("6400") && !bench.agent.is_ready("6401"));

    bench.hear("6499", ToAgent::Release { offer: OFFER });
    assert!(bench.agent.is_ready("6400") && bench.agent.held().is_none());
}

#[test]
fn q_482_a_seizure_that_nobody_ends_ends_by_itself() {
    let mut bench = Bench::idle(&["6400"]);
    seize(&mut bench, "6400");
    assert_eq!(bench.agent.leases().len(), 1);

    bench.wait(LEASE + Duration::from_secs(1));

    assert!(bench.agent.held().is_none());
}

#[test]
fn q_482_who_is_reserved_already_stays_so_for_the_other_call() {
    let mut bench = Bench::idle(&["6400"]);
    let bid = Bid { weight: 0, waiting_since: START };
    let other = OfferId(3);
    let lease = LEASE;
    bench.hear("6400", ToAgent::Reserve { offer: other, call: call(2), bid, lease, round: None });

    seize(&mut bench, "6400");
    bench.hear("6400", ToAgent::Release { offer: OFFER });

    assert_eq!(bench.agent.held().map(|held| held.offer), Some(other));
}
