use tandem_config::resource::RingStrategy;

use super::super::{ASK_WITHIN, RING_GRACE};
use super::*;
use crate::agent::{Denial, Round};
use crate::queue::{Decision, RingEnd};

fn linear(agents: &[&str]) -> Bench {
    Bench::staffed(config(RingStrategy::Linear, agents))
}

fn tells(bench: &mut Bench) -> Vec<(String, ToAgent)> {
    let seen = std::mem::take(&mut bench.seen);
    let tells = seen.into_iter().filter_map(|effect| match effect {
        Effect::Tell { agent, message } => Some((agent, message)),
        _ => None,
    });
    tells.collect()
}

fn wishes(bench: &mut Bench) -> Vec<(String, OfferId, Option<Round>)> {
    let wishes = tells(bench).into_iter().filter_map(|(agent, message)| match message {
        ToAgent::Reserve { offer, round, .. } => Some((agent, offer, round)),
        _ => None,
    });
    wishes.collect()
}

#[test]
fn nobody_rings_without_a_reservation() {
    let mut bench = linear(&["1"]);
    bench.granting = false;

    bench.join(1);

    assert_eq!(wishes(&mut bench).len(), 1);
    assert!(bench.offers().is_empty());
}

#[test]
fn q_075_and_q_076_a_ring_lasts_the_ring_timeout_and_the_next_comes_after_the_retry_interval() {
    let mut bench = linear(&["1", "2"]);
    bench.join(1);
    let ring_for = bench.notices(1).into_iter().find_map(|notice| match notice {
        QueueNotice::Offer { ring_for, .. } => Some(ring_for),
        _ => None,
    });
    assert_eq!(ring_for, Some(Duration::from_secs(15)));
    bench.wait_secs(15);
    bench.end_ring(1, OfferEnd::TimedOut);
    bench.seen.clear();

    bench.wait(Duration::from_millis(4_999));
    assert!(bench.offers().is_empty());
    bench.wait(Duration::from_millis(1));

    assert_eq!(bench.ring(1).1, "2");
    assert_eq!(bench.queue.facts().tally("1").missed, 1);
}

#[test]
fn q_061_a_busy_or_declining_agent_ends_the_attempt_at_once() {
    for why in [OfferEnd::Busy, OfferEnd::Rejected] {
        let mut bench = linear(&["1", "2"]);
        bench.join(1);
        bench.wait_secs(2);

        bench.end_ring(1, why);
        bench.wait_secs(5);

        assert_eq!(bench.ring(1).1, "2", "{why:?}");
    }
}

#[test]
fn an_unreachable_phone_makes_no_busy_loop_without_a_retry_interval() {
    let mut config = config(RingStrategy::Linear, &["1"]);
    config.agent.retry_interval_secs = 0;
    let mut bench = Bench::staffed(config);
    bench.join(1);
    bench.seen.clear();

    bench.end_ring(1, OfferEnd::Unreachable);
    assert!(bench.offers().is_empty());
    bench.wait_secs(1);

    assert_eq!(bench.offers().len(), 1);
}

#[test]
fn a_denied_wish_goes_to_the_next_agent_at_once() {
    let mut bench = linear(&["1", "2"]);
    bench.granting = false;
    bench.join(1);
    let (agent, offer, _) = wishes(&mut bench).remove(0);

    let why = Denial::NotReady;
    let message = FromAgent::Denied { offer, why };
    bench.step(Input::Agent { agent: agent.clone(), message }).unwrap();

    let next = wishes(&mut bench);
    assert_eq!((agent.as_str(), next[0].0.as_str()), ("1", "2"));
}

#[test]
fn a_silent_agent_is_passed_over_and_a_late_grant_is_given_back() {
    let mut bench = linear(&["1", "2"]);
    bench.granting = false;
    bench.join(1);
    let (agent, offer, _) = wishes(&mut bench).remove(0);

    bench.wait(ASK_WITHIN);
    let told = tells(&mut bench);
    assert!(told.contains(&(agent.clone(), ToAgent::Release { offer })));
    assert!(matches!(&told[1], (next, ToAgent::Reserve { .. }) if next == "2"));
    let message = FromAgent::Granted { offer };
    bench.step(Input::Agent { agent: agent.clone(), message }).unwrap();

    assert_eq!(tells(&mut bench), [(agent, ToAgent::Release { offer })]);
}

#[test]
fn q_060_an_agent_is_asked_for_one_caller_at_a_time() {
    let mut bench = linear(&["1"]);
    bench.granting = false;

    bench.join(1);
    bench.join(2);

    assert_eq!(wishes(&mut bench).len(), 1);
}

#[test]
fn a_round_of_bids_is_answered_by_a_bid_or_a_pass() {
    let mut bench = Bench::new(config(RingStrategy::Linear, &["1", "2"]));
    bench.granting = false;
    let ready = |round| FromAgent::Standing {
        standing: free(START),
        round: Some(Round(round)),
        fresh: false,
    };
    bench.seen.clear();
    bench.step(Input::Agent { agent: "1".into(), message: ready(4) }).unwrap();
    assert_eq!(tells(&mut bench), [("1".into(), ToAgent::Pass { round: Round(4) })]);

    bench.stands("1", {
        let mut away = free(START);
        away.ready = false;
        away
    });
    bench.join(1);
    bench.step(Input::Agent { agent: "2".into(), message: ready(9) }).unwrap();

    let wishes = wishes(&mut bench);
    assert_eq!((wishes[0].0.as_str(), wishes[0].2), ("2", Some(Round(9))));
}

#[test]
fn a_ring_that_the_call_does_not_end_is_ended_and_a_dead_call_is_given_up() {
    let mut bench = linear(&["1"]);
    bench.join(1);
    bench.wait(Duration::from_secs(15) + RING_GRACE);
    assert!(bench.notices(1).iter().any(|it| matches!(it, QueueNotice::Withdraw { .. })));

    bench.wait_secs(60);

    assert_eq!(bench.exit(1), Some(Exit::System));
}

#[test]
fn an_answer_to_a_withdrawn_offer_is_an_answer() {
    let mut bench = linear(&["1", "2"]);
    bench.join(1);
    let (offer, _) = bench.ring(1);
    bench.wait(Duration::from_secs(15) + RING_GRACE);

    bench.step(Input::OfferAnswered { call: call(1), offer }).unwrap();

    assert_eq!(bench.exit(1), Some(Exit::Answered));
    assert_eq!(bench.queue.facts().active[&call(1)].agent, "1");
}

#[test]
fn a_revoked_reservation_ends_the_ring() {
    let mut bench = linear(&["1"]);
    bench.join(1);
    let (offer, agent) = bench.ring(1);
    bench.seen.clear();

    let message = FromAgent::Revoked { offer };
    bench.step(Input::Agent { agent, message }).unwrap();

    let notices = bench.notices(1);
    assert_eq!(notices, [QueueNotice::Withdraw { offer, elsewhere: false }]);
    let why = RingEnd::Ended(OfferEnd::AgentGone);
    assert!(
        bench.events.iter().any(
            |event| matches!(event, QueueEvent::RingEnded { why: found, .. } if *found == why)
        )
    );
}

#[test]
fn late_timers_touch_nothing() {
    let mut bench = linear(&["1", "2"]);
    bench.join(1);
    bench.end_ring(1, OfferEnd::Rejected);
    bench.wait_secs(5);
    bench.answer(1);
    let facts = bench.queue.facts().clone();
    bench.seen.clear();

    bench.wait_secs(600);
    for timer in 0..100 {
        bench.step(Input::Timer(TimerId(timer))).unwrap();
    }

    assert_eq!(bench.seen, []);
    assert_eq!(*bench.queue.facts(), facts);
}

#[test]
fn q_077_the_agent_is_told_the_wrap_up_of_this_queue() {
    let mut config = config(RingStrategy::Linear, &["1"]);
    config.agent.wrap_up_secs = 30;
    let mut bench = Bench::staffed(config);
    bench.join(1);
    let agent = bench.answer(1);
    bench.seen.clear();

    bench.hang_up(1, &agent);

    let wrap_up = Duration::from_secs(30);
    let told = tells(&mut bench);
    assert_eq!(told[0], ("1".into(), ToAgent::Finished { call: call(1), wrap_up }));
}

#[test]
fn ring_all_is_joined_by_an_agent_who_becomes_free() {
    let mut bench = Bench::staffed(config(RingStrategy::RingAll, &["1"]));
    bench.join(1);
    let mut two = config(RingStrategy::RingAll, &["1", "2"]);
    two.agent.ring_timeout_secs = 15;
    bench.step(Input::Configure(Box::new(two))).unwrap();
    bench.wait_secs(5);
    bench.seen.clear();

    bench.stands("2", free(START));

    let ring_for: Vec<_> = bench
        .notices(1)
        .into_iter()
        .filter_map(|notice| match notice {
            QueueNotice::Offer { agent, ring_for, .. } => Some((agent, ring_for)),
            _ => None,
        })
        .collect();
    assert_eq!(ring_for, [("2".to_owned(), Duration::from_secs(10))]);
}

#[test]
fn the_trace_says_why_an_agent_does_not_ring() {
    let mut bench = Bench::new(config(RingStrategy::Linear, &["1", "2", "3", "4", "5"]));
    let unready = |change: fn(&mut Standing)| {
        let mut standing = free(START);
        standing.ready = false;
        change(&mut standing);
        standing
    };
    bench.stands("1", unready(|it| it.paused = Some(Some("*01".into()))));
    bench.stands("2", unready(|it| it.activity = Activity::Talking));
    bench.stands("3", unready(|it| it.registered = false));
    bench.stands("4", free(START));

    bench.join(1);

    let mut codes: Vec<(String, &str)> = bench
        .seen
        .iter()
        .filter_map(|effect| match effect {
            Effect::Decide(_, Decision { agent, code, .. }) => Some((agent.clone(), *code)),
            _ => None,
        })
        .collect();
    codes.sort();
    let expected = [
        ("1", "agent-paused"),
        ("2", "agent-in-call"),
        ("3", "agent-unregistered"),
        ("4", "agent-offered"),
        ("5", "agent-unknown"),
    ];
    assert_eq!(codes, expected.map(|(agent, code)| (agent.to_owned(), code)));
}
