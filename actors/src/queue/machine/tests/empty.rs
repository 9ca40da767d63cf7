use tandem_config::resource::{EmptyRule, EmptyScenario, RingStrategy};

use super::*;

/// The states of an agent that the scenarios tell apart.
fn standing(what: &str) -> Standing {
    let mut standing = free(START);
    match what {
        "free" => return standing,
        "out" => standing.logged_in = None,
        "paused" => standing.paused = Some(None),
        "offline" => standing.registered = false,
        "talking" => standing.activity = Activity::Talking,
        "ringing" => standing.activity = Activity::Ringing,
        "resting" => standing.activity = Activity::WrapUp,
        other => panic!("no such state: {other}"),
    }
    standing.ready = false;
    standing
}

fn bench(join: Option<&[EmptyScenario]>, leave: Option<&[EmptyScenario]>) -> Bench {
    let rule = |scenarios: Option<&[EmptyScenario]>| EmptyRule {
        enabled: scenarios.is_some(),
        scenarios: scenarios.unwrap_or_default().to_vec(),
    };
    let mut config = config(RingStrategy::Linear, &["1", "2"]);
    config.join_empty = rule(join);
    config.leave_empty = rule(leave);
    Bench::new(config)
}

#[test]
fn q_123_and_q_124_a_queue_is_empty_when_each_agent_is_unavailable_by_some_scenario() {
    use EmptyScenario::{AllInUse, AllPaused, AllUnregistered};
    let cases: [(&[EmptyScenario], [&str; 2], bool); 14] = [
        (&[], ["out", "out"], true),
        (&[], ["out", "paused"], false),
        (&[], ["out", "free"], false),
        (&[AllPaused], ["paused", "paused"], true),
        (&[AllPaused], ["paused", "out"], true),
        (&[AllPaused], ["paused", "offline"], false),
        (&[AllUnregistered, AllPaused], ["paused", "offline"], true),
        (&[AllUnregistered], ["offline", "offline"], true),
        (&[AllUnregistered], ["offline", "free"], false),
        (&[AllInUse], ["talking", "ringing"], true),
        (&[AllInUse], ["talking", "resting"], false),
        (&[AllInUse, AllPaused], ["talking", "paused"], true),
        (&[AllPaused], ["talking", "paused"], false),
        (&[AllUnregistered, AllPaused, AllInUse], ["free", "out"], false),
    ];
    for (scenarios, states, is_empty) in cases {
        let mut bench = bench(Some(scenarios), None);
        bench.granting = false;
        bench.stands("1", standing(states[0]));
        bench.stands("2", standing(states[1]));

        bench.join(1);

        let expected = is_empty.then_some(Exit::JoinEmpty);
        assert_eq!(bench.exit(1), expected, "{scenarios:?} {states:?}");
    }
}

#[test]
fn q_125_a_queue_without_members_is_empty() {
    let mut config = config(RingStrategy::Linear, &[]);
    config.join_empty.enabled = true;
    let mut bench = Bench::new(config);

    bench.join(1);

    assert_eq!(bench.exit(1), Some(Exit::JoinEmpty));
}

#[test]
fn q_123_is_off_by_default() {
    let mut bench = bench(None, None);
    bench.stands("1", standing("out"));
    bench.stands("2", standing("out"));

    bench.join(1);

    assert_eq!(bench.exit(1), None);
}

#[test]
fn q_122_waiting_callers_leave_when_the_last_agent_goes() {
    let mut bench = bench(None, Some(&[EmptyScenario::AllPaused]));
    bench.stands("1", standing("talking"));
    bench.stands("2", standing("paused"));
    bench.join(1);
    bench.join(2);
    assert_eq!(bench.exit(1), None);

    bench.stands("1", standing("paused"));
    bench.wait_secs(1);

    assert_eq!(bench.exit(1), Some(Exit::LeaveEmpty));
    assert_eq!(bench.exit(2), Some(Exit::LeaveEmpty));
}

#[test]
fn q_122_a_caller_for_whom_an_agent_rings_stays() {
    let mut bench = bench(None, Some(&[EmptyScenario::AllInUse]));
    bench.stands("1", standing("free"));
    bench.stands("2", standing("talking"));
    bench.join(1);
    assert_eq!(bench.ring(1).1, "1");

    bench.join(2);
    bench.wait_secs(1);

    assert_eq!(bench.exit(1), None);
    assert_eq!(bench.exit(2), Some(Exit::LeaveEmpty), "all agents ring or talk");
}

#[test]
fn q_122_and_q_123_are_independent() {
    let mut bench = bench(Some(&[]), Some(&[EmptyScenario::AllPaused]));
    bench.stands("1", standing("paused"));
    bench.stands("2", standing("paused"));

    bench.join(1);
    bench.wait_secs(1);

    assert_eq!(bench.exit(1), Some(Exit::LeaveEmpty), "joined, and pulled out at once");
}

#[test]
fn q_124_an_agent_who_has_not_reported_yet_gets_the_benefit_of_doubt() {
    let mut bench = bench(Some(&[]), Some(&[]));
    bench.stands("1", standing("out"));

    bench.join(1);

    assert_eq!(bench.exit(1), None);
    bench.stands("2", standing("out"));
    bench.wait_secs(1);
    assert_eq!(bench.exit(1), Some(Exit::LeaveEmpty));
}
