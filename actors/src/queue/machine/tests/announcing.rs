//! An agent who has answered hears the announcement before the caller.

use tandem_config::resource::RingStrategy;

use super::super::{ANNOUNCED_WITHIN, RING_GRACE};
use super::*;
use crate::leases::{State, Until};
use crate::queue::RingEnd;

/// Call 1's agent has answered.
fn announcing(config: Config) -> (Bench, OfferId) {
    let mut bench = Bench::staffed(config);
    bench.join(1);
    bench.wait_secs(4);
    let (offer, agent) = bench.ring(1);
    assert_eq!(agent, "1");
    bench.step(Input::OfferAnnouncing { call: call(1), offer }).unwrap();
    (bench, offer)
}

fn linear(agents: &[&str]) -> Config {
    config(RingStrategy::Linear, agents)
}

fn rings_ended(bench: &Bench) -> Vec<(&str, RingEnd)> {
    let ended = bench.events.iter().filter_map(|event| match event {
        QueueEvent::RingEnded { agent, why, .. } => Some((agent.as_str(), *why)),
        _ => None,
    });
    ended.collect()
}

#[test]
fn q_084_the_wait_ends_when_the_two_are_put_through() {
    let (mut bench, offer) = announcing(linear(&["1", "2"]));
    bench.wait_secs(6);

    bench.step(Input::OfferAnswered { call: call(1), offer }).unwrap();

    let waited = bench.events.iter().find_map(|event| match event {
        QueueEvent::Answered { wait_us, .. } => Some(*wait_us),
        _ => None,
    });
    assert_eq!(waited, Some(10_000_000));
    assert!(rings_ended(&bench).is_empty());
}

#[test]
fn q_084_neither_the_ring_timeout_nor_the_maximum_wait_cuts_the_announcement() {
    let mut config = linear(&["1", "2"]);
    config.max_wait_secs = 10;
    let (mut bench, offer) = announcing(config);

    bench.wait_secs(60);
    assert_eq!(bench.exit(1), None);
    bench.step(Input::OfferAnswered { call: call(1), offer }).unwrap();

    assert_eq!(bench.exit(1), Some(Exit::Answered));
}

#[test]
fn q_084_an_agent_who_hangs_up_meanwhile_has_missed_the_call_and_the_next_rings() {
    let (mut bench, offer) = announcing(linear(&["1", "2"]));
    bench.join(2);

    bench.step(Input::OfferEnded { call: call(1), offer, why: OfferEnd::Rejected }).unwrap();
    bench.wait_secs(5);

    assert_eq!(bench.queue.facts().tally("1").missed, 1);
    assert_eq!(bench.queue.view().waiting[0].call, call(1), "keeps the place");
    assert_eq!(bench.exit(1), None);
}

#[test]
fn q_084_a_caller_whose_wait_was_over_meanwhile_leaves_when_the_agent_does() {
    let mut config = linear(&["1"]);
    config.max_wait_secs = 10;
    let (mut bench, offer) = announcing(config);
    bench.wait_secs(20);

    bench.step(Input::OfferEnded { call: call(1), offer, why: OfferEnd::Rejected }).unwrap();
    bench.seen.clear();
    bench.wait(Duration::from_millis(1));

    let leave = |notice: &QueueNotice| matches!(notice, QueueNotice::Leave { .. });
    assert!(bench.notices(1).iter().any(leave));
}

#[test]
fn q_084_a_caller_who_hangs_up_meanwhile_has_abandoned_and_the_agent_has_missed_nothing() {
    let (mut bench, offer) = announcing(linear(&["1"]));
    bench.seen.clear();

    bench.step(Input::Gone { call: call(1), reason: Exit::CallerHangup }).unwrap();

    assert_eq!(bench.exit(1), Some(Exit::CallerHangup));
    assert_eq!(rings_ended(&bench), [("1", RingEnd::Cut)]);
    let release = Effect::Tell { agent: "1".into(), message: ToAgent::Release { offer } };
    assert!(bench.seen.contains(&release), "{:?}", bench.seen);
}

#[test]
fn q_084_of_ring_all_the_others_have_lost_and_nobody_joins_any_more() {
    let (mut bench, _) = announcing(config(RingStrategy::RingAll, &["1", "2"]));
    assert_eq!(rings_ended(&bench), [("2", RingEnd::Lost)]);
    bench.seen.clear();

    let mut config = bench.queue.config().clone();
    config.members.push(Member::new("3", Membership::Static));
    bench.step(Input::Configure(Box::new(config))).unwrap();
    bench.stands("3", free(bench.now));

    assert!(bench.offers().is_empty());
}

#[test]
fn q_084_a_call_that_never_puts_through_gives_the_agent_back() {
    let (mut bench, offer) = announcing(linear(&["1"]));
    let lease = bench.queue.leases().into_iter().find(|it| it.state == State::Announcing).unwrap();
    assert_eq!(lease.until, Until::At(bench.now + ANNOUNCED_WITHIN + RING_GRACE));
    bench.seen.clear();

    bench.wait(ANNOUNCED_WITHIN + RING_GRACE);

    assert!(bench.notices(1).contains(&QueueNotice::Withdraw { offer, elsewhere: false }));
    assert_eq!(bench.queue.facts().tally("1").missed, 0, "the agent had answered");
}

#[test]
fn q_084_a_queue_that_begins_again_lets_the_agent_go_and_asks_anew() {
    let (bench, offer) = announcing(linear(&["1"]));
    let facts = bench.queue.facts().clone();

    let mut again = Bench::with(linear(&["1"]), facts, &[call(1)]);

    assert!(again.notices(1).contains(&QueueNotice::Withdraw { offer, elsewhere: false }));
    again.stands("1", free(again.now));
    assert_eq!(again.ring(1).1, "1");
}
