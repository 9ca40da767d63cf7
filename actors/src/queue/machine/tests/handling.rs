//! What a queue's facts say of how long its calls took.

use super::*;
use crate::figures::Handling;

/// Two calls one after the other: each caller waits 8 s and talks 58 s, and the agent then rests.
fn handled(wrap_up_secs: u32) -> Handling {
    let mut config = config(RingStrategy::Linear, &["1"]);
    config.agent.wrap_up_secs = wrap_up_secs;
    let mut bench = Bench::staffed(config);
    for number in 1..=2 {
        bench.join(number);
        bench.wait_secs(8);
        let agent = bench.answer(number);
        bench.wait_secs(58);
        let (by, talk) = (crate::queue::Party::Caller, Duration::from_secs(58));
        let ended = Input::CallEnded { call: call(number), agent: agent.clone(), by, talk };
        bench.step(ended).unwrap();
        bench.stands(&agent, Standing { ready: wrap_up_secs == 0, ..free(START) });
        bench.wait_secs(u64::from(wrap_up_secs));
        bench.stands(&agent, free(START));
    }
    Handling::of(&bench.events)
}

#[test]
fn q_079_the_wrap_up_of_agents_is_no_part_of_the_handling_time() {
    let rested = handled(30);

    assert_eq!(rested.answered, 2);
    assert_eq!(rested.average_handling(), Duration::from_secs(66));
    assert_eq!(rested, handled(0));
}
