use std::time::Duration;

use tandem_config::resource::OutboundPolicy;

use super::*;
use crate::outbound::tolls::{Limits, Reached, cost};
use crate::outbound::{Outgoing, Tolls};

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + secs)
}

fn policy(per_minute: u32, per_day: u64) -> OutboundPolicy {
    OutboundPolicy {
        extension_calls_per_minute: per_minute,
        extension_spend_per_day: per_day,
        ..OutboundPolicy::default()
    }
}

fn priced(price_per_minute: u32) -> Outgoing {
    Outgoing { price_per_minute, ..Outgoing::default() }
}

#[test]
fn an_extension_begins_so_many_calls_in_any_minute() {
    let (tolls, policy) = (Tolls::default(), policy(3, 0));
    let begin =
        |secs| tolls.begin(at(secs), Some("1000"), &policy, &priced(0)).map_err(|it| it.rule);

    for secs in [0, 10, 20] {
        begin(secs).unwrap();
    }

    assert_eq!(begin(59), Err(Rule::CallsPerMinute));
    begin(60).unwrap();
    assert_eq!(begin(61), Err(Rule::CallsPerMinute));
}

#[test]
fn an_emergency_call_begins_whatever_was_spent() {
    let (tolls, policy) = (Tolls::default(), policy(1, 1));
    tolls.begin(at(0), Some("1000"), &policy, &priced(1)).unwrap();
    let emergency = Outgoing { is_emergency: true, ..Outgoing::default() };

    assert!(tolls.begin(at(1), Some("1000"), &policy, &priced(1)).is_err());
    assert!(tolls.begin(at(1), Some("1000"), &policy, &emergency).is_ok());
}

#[test]
fn what_was_taken_is_set_right_when_the_call_ends() {
    let (tolls, policy) = (Tolls::default(), policy(0, 100));
    let begin = |secs| tolls.begin(at(secs), Some("1000"), &policy, &priced(30));
    let unanswered = begin(0).unwrap();
    let answered = begin(1).unwrap();

    tolls.settle(at(10), &unanswered, None, 0);
    tolls.settle(at(130), &answered, Some("main"), cost(30, Duration::from_secs(121)));

    assert_eq!(tolls.spent_by(at(131), "1000"), 90);
    assert_eq!(begin(140).unwrap_err().rule, Rule::Spend);
    // A day later it is forgotten.
    assert!(begin(131 + 86_400).is_ok());
}

#[test]
fn a_begun_minute_is_paid_and_silence_is_not() {
    assert_eq!(cost(30, Duration::ZERO), 0);
    assert_eq!(cost(30, Duration::from_millis(1)), 30);
    assert_eq!(cost(30, Duration::from_secs(60)), 30);
    assert_eq!(cost(30, Duration::from_secs(61)), 60);
}

#[test]
fn a_trunk_takes_so_many_calls_a_second_and_a_minute_and_so_much_money_a_day() {
    let trunk = |json: Value| match serde_json::from_value(json).unwrap() {
        Resource::Trunk(trunk) => trunk,
        _ => unreachable!(),
    };
    let base = json!({ "kind": "trunk", "name": "t", "host": "h", "calls_per_second": 2,
        "calls_per_minute": 3, "spend_per_day": 45 });
    let trunk = trunk(base);
    let tolls = Tolls::default();
    let enter = |secs| tolls.enter(at(secs), &trunk, 10);

    assert_eq!([enter(0), enter(0), enter(0)], [Ok(()), Ok(()), Err(Reached::PerSecond)]);
    assert_eq!([enter(1), enter(2)], [Ok(()), Err(Reached::PerMinute)]);
    assert_eq!([enter(61), enter(63)], [Ok(()), Err(Reached::PerDay)]);
    assert_eq!(Limits::of_trunk(&trunk).per_day, 45);
}

/// Must show 4: limits hold under 1,000 attempts at the same moment.
#[test]
fn a_thousand_attempts_at_once_do_not_pass_the_limits_together() {
    let tolls = Tolls::default();
    let (by_count, by_money) = (policy(37, 0), policy(0, 1_000));
    let count = |extension: &'static str, policy: &OutboundPolicy| -> usize {
        let attempts = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..20)
                .map(|_| {
                    scope.spawn(|| {
                        let begun = |_: &u32| {
                            tolls.begin(at(0), Some(extension), policy, &priced(7)).is_ok()
                        };
                        (0..50).filter(begun).count()
                    })
                })
                .collect();
            tries.into_iter().map(|it| it.join().unwrap()).collect::<Vec<usize>>()
        });
        attempts.into_iter().sum()
    };

    assert_eq!(count("1000", &by_count), 37);
    assert_eq!(count("1001", &by_money), 142);
    assert_eq!(tolls.spent_by(at(0), "1001"), 994);
}
