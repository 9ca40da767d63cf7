use super::*;
use crate::queue::OfferId;

const AT: Timestamp = Timestamp::from_secs(1_000);

fn call(number: u128) -> CallId {
    CallId::from_u128(number)
}

fn answered(number: u128) -> QueueEvent {
    let (offer, agent) = (OfferId(3), "1001".to_owned());
    QueueEvent::Answered { at: AT, call: call(number), offer, agent, wait_us: 0 }
}

fn talk(over: Option<u64>) -> AgentTalk {
    AgentTalk {
        call: call(1),
        stay: 1,
        caller: "0912".into(),
        caller_name: "Chen".into(),
        agent: "1001".into(),
        wait: Duration::from_secs(2),
        is_counted: false,
        over: over.map(Duration::from_secs),
    }
}

/// A call that talks by queue 6400.
fn one() -> Answers {
    let mut answers = Answers::default();
    answers.talks(AT, "6400".into(), talk(None));
    answers
}

fn late(answers: &mut Answers) -> Vec<AgentTalk> {
    let late = answers.late(AT, |_| true).into_iter();
    late.map(|(queue, talk)| (assert_eq!(queue, "6400"), talk).1).collect()
}

#[test]
fn a_queue_is_told_until_its_facts_have_the_answer() {
    let mut answers = one();

    assert_eq!(late(&mut answers), [], "they may be on their way");
    assert_eq!(late(&mut answers), [talk(None)]);
    assert_eq!(late(&mut answers), [talk(None)]);
    answers.queue_has("6400", &answered(1));

    assert_eq!(late(&mut answers), []);
}

#[test]
fn who_was_told_of_a_talk_is_told_of_its_end_as_well() {
    let mut answers = one();
    late(&mut answers);
    late(&mut answers);
    answers.queue_has("6400", &answered(1));
    answers.ended(call(1), Duration::from_secs(4));

    let over = AgentTalk { is_counted: true, ..talk(Some(4)) };
    assert_eq!(late(&mut answers), [over], "the word of it came too early");
    let (at, agent) = (AT, "1001".to_owned());
    let by = crate::queue::Party::System;
    answers.queue_has("6400", &QueueEvent::Ended { at, call: call(1), agent, by, talk_us: 0 });

    assert_eq!(late(&mut answers), []);
}

#[test]
fn a_queue_whose_facts_have_the_answer_is_told_nothing_in_whichever_order_they_come() {
    let mut answers = one();
    answers.queue_has("6400", &answered(1));
    answers.ended(call(1), Duration::from_secs(4));
    assert!((0..3).all(|_| late(&mut answers).is_empty()));

    let mut answers = Answers::default();
    answers.queue_has("6400", &answered(1));
    answers.talks(AT, "6400".into(), talk(None));
    assert!((0..3).all(|_| late(&mut answers).is_empty()));
}

#[test]
fn an_answer_in_another_queue_is_another_one() {
    let mut answers = one();
    answers.queue_has("6401", &answered(1));

    late(&mut answers);
    assert_eq!(late(&mut answers), [talk(None)]);
}

#[test]
fn only_who_runs_the_queue_tells_it_and_nobody_of_what_is_long_past() {
    let mut answers = one();
    assert!((0..3).all(|_| answers.late(AT, |_| false).is_empty()));
    assert_eq!(late(&mut answers), [talk(None)]);

    assert!(answers.late(AT + LOOKED_FOR, |_| true).is_empty());
    assert_eq!(late(&mut answers), [], "and it is forgotten");
}
