use tandem_config::resource::{Member, Membership, RingStrategy};

use super::*;

/// 1 and 3 are static, 5, 2 and 4 logged in in this order.
fn mixed(strategy: RingStrategy) -> Bench {
    let mut config = config(strategy, &[]);
    let memberships = [
        ("1", Membership::Static),
        ("2", Membership::Dynamic),
        ("3", Membership::Static),
        ("4", Membership::Dynamic),
        ("5", Membership::Dynamic),
    ];
    config.members =
        memberships.map(|(extension, membership)| Member::new(extension, membership)).into();
    let mut bench = Bench::new(config);
    bench.granting = true;
    let logins = [("1", 0), ("3", 0), ("5", 10), ("2", 20), ("4", 30)];
    for (agent, after) in logins {
        let mut standing = free(START + Duration::from_secs(after));
        if after > 0 {
            standing.membership = Membership::Dynamic;
        }
        bench.stands(agent, standing);
    }
    bench
}

fn dynamics_only(strategy: RingStrategy) -> Bench {
    let mut bench = mixed(strategy);
    for agent in ["1", "3"] {
        let mut paused = bench.standings[agent].clone();
        paused.paused = Some(None);
        paused.ready = false;
        bench.stands(agent, paused);
    }
    bench
}

/// Who rings for one caller whom nobody answers.
fn rings(bench: &mut Bench, number: u128, count: usize) -> Vec<String> {
    bench.join(number);
    (0..count)
        .map(|_| {
            bench.wait_secs(15);
            let agent = bench.end_ring(number, OfferEnd::TimedOut);
            bench.wait_secs(5);
            agent
        })
        .collect()
}

/// Serves one call after the other; says who answered.
fn serve(bench: &mut Bench, calls: std::ops::Range<u128>) -> Vec<String> {
    calls
        .map(|number| {
            bench.join(number);
            let agent = bench.answer(number);
            bench.wait_secs(1);
            bench.hang_up(number, &agent);
            agent
        })
        .collect()
}

#[test]
fn q_051_ring_all_rings_all_free_agents_at_once() {
    let mut bench = mixed(RingStrategy::RingAll);

    bench.join(1);

    let agents: Vec<_> = bench.offers().into_iter().map(|(_, _, agent)| agent).collect();
    assert_eq!(agents, ["1", "2", "3", "4", "5"]);
}

#[test]
fn q_051_ring_all_withdraws_the_losers_as_answered_elsewhere() {
    let mut bench = mixed(RingStrategy::RingAll);
    bench.join(1);
    let offers = bench.offers();

    let winner = offers[2].1;
    bench.step(Input::OfferAnswered { call: call(1), offer: winner }).unwrap();

    let mut withdrawn = Vec::new();
    for notice in bench.notices(1) {
        if let QueueNotice::Withdraw { offer, elsewhere } = notice {
            assert!(elsewhere);
            withdrawn.push(offer);
        }
    }
    let losers: Vec<_> = offers.iter().map(|it| it.1).filter(|it| *it != winner).collect();
    assert_eq!(withdrawn, losers);
    assert_eq!(bench.queue.facts().tally("1").missed, 1, "Q-363");
    assert_eq!(bench.queue.facts().tally("3").missed, 0);
}

#[test]
fn q_058_ring_all_rings_everybody_again_after_the_retry_interval() {
    let mut bench = mixed(RingStrategy::RingAll);
    bench.join(1);
    let first = bench.offers();
    bench.wait_secs(15);
    for (_, offer, _) in first {
        let why = OfferEnd::TimedOut;
        bench.step(Input::OfferEnded { call: call(1), offer, why }).unwrap();
    }

    bench.wait(Duration::from_millis(4_999));
    assert!(bench.offers().is_empty());
    bench.wait(Duration::from_millis(1));
    assert_eq!(bench.offers().len(), 5);
}

#[test]
fn q_052_least_recent_rings_who_never_had_a_call_then_who_waits_longest() {
    let mut bench = mixed(RingStrategy::LeastRecent);

    assert_eq!(serve(&mut bench, 1..8), ["1", "2", "3", "4", "5", "1", "2"]);
}

#[test]
fn q_052_an_unanswered_ring_goes_on_to_the_next_agent() {
    let mut bench = mixed(RingStrategy::LeastRecent);
    serve(&mut bench, 1..4);

    assert_eq!(rings(&mut bench, 10, 6), ["4", "5", "1", "2", "3", "4"]);
}

#[test]
fn q_053_fewest_calls_rings_who_answered_least_and_ties_go_to_the_least_recent() {
    let mut bench = mixed(RingStrategy::FewestCalls);
    serve(&mut bench, 1..8);

    assert_eq!(rings(&mut bench, 10, 5), ["3", "4", "5", "1", "2"]);
}

#[test]
fn q_054_random_repeats_nobody_within_a_pass() {
    let mut orders = BTreeSet::new();
    let mut bench = mixed(RingStrategy::Random);
    for number in 1..9 {
        let order = rings(&mut bench, number, 5);
        let reason = Exit::CallerHangup;
        bench.step(Input::Gone { call: call(number), reason }).unwrap();

        let distinct: BTreeSet<_> = order.iter().cloned().collect();
        assert_eq!(distinct.len(), 5, "{order:?}");
        orders.insert(order);
    }
    assert!(orders.len() > 4, "the order is hardly random: {orders:?}");
}

#[test]
fn q_055_rrmemory_goes_round_the_statics_and_leaves_the_dynamics_alone() {
    let mut bench = mixed(RingStrategy::Rrmemory);

    assert_eq!(rings(&mut bench, 1, 4), ["1", "3", "1", "3"]);
}

#[test]
fn q_055_rrmemory_remembers_over_calls() {
    let mut bench = mixed(RingStrategy::Rrmemory);

    assert_eq!(serve(&mut bench, 1..5), ["1", "3", "1", "3"]);
}

#[test]
fn q_055_rrmemory_takes_dynamics_by_log_in_when_no_static_is_free() {
    let mut bench = dynamics_only(RingStrategy::Rrmemory);

    assert_eq!(rings(&mut bench, 1, 5), ["5", "2", "4", "5", "2"]);
}

#[test]
fn q_055_rrmemory_goes_on_behind_an_agent_who_logged_out() {
    let mut bench = dynamics_only(RingStrategy::Rrmemory);
    assert_eq!(serve(&mut bench, 1..3), ["5", "2"]);

    let mut gone = bench.standings["2"].clone();
    gone.logged_in = None;
    gone.ready = false;
    bench.stands("2", gone);

    assert_eq!(serve(&mut bench, 3..6), ["4", "5", "4"]);
}

#[test]
fn q_056_linear_mixes_statics_and_dynamics_by_log_in_and_begins_anew_for_each_call() {
    let mut bench = mixed(RingStrategy::Linear);

    assert_eq!(rings(&mut bench, 1, 7), ["1", "3", "5", "2", "4", "1", "3"]);
    assert_eq!(rings(&mut bench, 2, 2), ["1", "3"], "5 rings for the first caller still");
}

#[test]
fn q_057_who_logs_in_again_moves_to_the_end_and_a_pause_changes_nothing() {
    let mut bench = dynamics_only(RingStrategy::Linear);
    let mut again = bench.standings["5"].clone();
    again.logged_in = Some(START + Duration::from_secs(40));
    bench.stands("5", again);
    let mut paused = bench.standings["2"].clone();
    paused.paused = Some(None);
    paused.ready = false;
    let resumed = bench.standings["2"].clone();
    bench.stands("2", paused);
    bench.stands("2", resumed);

    assert_eq!(rings(&mut bench, 1, 4), ["2", "4", "5", "2"]);
}

#[test]
fn q_059_callers_and_agents_are_matched_in_parallel_oldest_first() {
    let mut bench = mixed(RingStrategy::Linear);

    for number in 1..=6 {
        bench.join(number);
    }

    let offers: Vec<_> = bench.offers().into_iter().map(|(of, _, agent)| (of, agent)).collect();
    let expected = [(1, "1"), (2, "3"), (3, "5"), (4, "2"), (5, "4")];
    assert_eq!(offers, expected.map(|(number, agent)| (call(number), agent.to_owned())));
}

#[test]
fn q_059_the_head_of_the_line_blocks_nobody() {
    let mut bench = mixed(RingStrategy::Linear);
    for agent in ["3", "5", "2", "4"] {
        let mut busy = bench.standings[agent].clone();
        busy.ready = false;
        bench.stands(agent, busy);
    }
    bench.join(1);
    bench.join(2);
    bench.end_ring(1, OfferEnd::Rejected);
    assert_eq!(bench.ring(2).1, "1", "the first caller rests, the second is offered at once");
}
