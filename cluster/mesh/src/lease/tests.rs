#![allow(clippy::unwrap_used)]
use std::time::Duration;

use proptest::prelude::*;
use tandem_kernel::Timestamp;

use super::{Lease, Liveness, Patience, PatienceError, Verdict};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

fn patience() -> Patience {
    Patience::new(ms(50), ms(500), ms(600)).unwrap()
}

#[test]
fn times_that_would_let_two_owners_speak_are_refused() {
    assert_eq!(Patience::new(ms(50), ms(500), ms(549)), Err(PatienceError));
    assert!(Patience::new(ms(50), ms(500), ms(550)).is_ok());
    assert_eq!(Patience::new(ms(50), ms(0), ms(550)), Err(PatienceError));
}

#[test]
fn an_owner_without_a_contact_is_fenced() {
    let mut lease = Lease::new(patience());
    assert_eq!(lease.verdict(at(0)), Verdict::Fenced);
    lease.confirm(at(100));
    assert_eq!(lease.verdict(at(599)), Verdict::Serve { until: at(600) });
    assert_eq!(lease.verdict(at(600)), Verdict::Fenced);
}

#[test]
fn a_new_controller_calls_nobody_dead_before_its_own_patience_is_over() {
    let liveness = Liveness::begin(patience(), [1, 2].into_iter(), at(1_000));
    assert!(liveness.dead(at(1_599)).is_empty());
    assert_eq!(liveness.dead(at(1_600)), [1, 2]);
}

/// Pause before a sign, its way there, its answer's way back, whether it is lost; ms.
fn signs() -> impl Strategy<Value = Vec<(u64, u64, u64, bool)>> {
    proptest::collection::vec((1_u64..300, 0_u64..400, 0_u64..400, any::<bool>()), 1..60)
}

proptest! {
    /// Signs of life that are delayed, lost and reordered; the controller answers each when it
    /// comes, and the owner counts from when it asked.
    #[test]
    fn the_old_owner_has_stopped_before_its_shards_are_given_away(
        signs in signs()
    ) {
        let mut events = Vec::new();
        let mut asked = 1_000;
        for (pause, there, back, is_lost) in signs {
            asked += pause;
            if !is_lost {
                events.push((asked + there, None));
                events.push((asked + there + back, Some(asked)));
            }
        }
        events.sort_unstable();
        let mut lease = Lease::new(patience());
        let mut liveness = Liveness::begin(patience(), [1].into_iter(), at(1_000));
        let mut events = events.into_iter().peekable();
        for now in 1_000..asked + 2_000 {
            while let Some((_, sign)) = events.next_if(|(when, _)| *when <= now) {
                match sign {
                    None => liveness.heard(1, at(now)),
                    Some(asked) => lease.confirm(at(asked)),
                }
            }
            let given_away = !liveness.dead(at(now)).is_empty();
            let serves = lease.verdict(at(now)) != Verdict::Fenced;
            prop_assert!(!(given_away && serves), "two owners at {now}");
        }
        prop_assert_eq!(lease.verdict(at(asked + 2_000)), Verdict::Fenced);
        prop_assert_eq!(liveness.dead(at(asked + 2_000)), [1]);
    }
}
