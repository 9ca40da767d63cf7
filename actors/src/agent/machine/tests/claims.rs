//! Calls that want this agent and nobody else.

use super::*;

fn claim(bench: &mut Bench, number: u128) -> Result<(), Denial> {
    let effects = bench.agent.claim(bench.now, call(number))?;
    bench.seen.extend(effects);
    Ok(())
}

#[test]
fn c_020_an_agent_who_has_nothing_to_do_is_free_and_is_from_then_on_in_a_call() {
    let mut bench = Bench::idle(&["6400"]);
    bench.seen.clear();

    assert_eq!(claim(&mut bench, 7), Ok(()));

    assert_eq!(claim(&mut bench, 8), Err(Denial::NotReady));
    bench.reserve("6400", 1, 1, 100);
    let told = bench.told();
    let granted = told.iter().any(|(_, it)| matches!(it, FromAgent::Granted { .. }));
    assert!(!granted, "{told:?}");
}

#[test]
fn c_025_an_agent_whom_a_queue_has_reserved_is_not_free() {
    let mut bench = Bench::idle(&["6400"]);
    bench.reserve("6400", 1, 1, 100);

    assert_eq!(claim(&mut bench, 7), Err(Denial::Reserved));
}

#[test]
fn c_020_neither_a_break_nor_the_last_seat_left_is_free() {
    let mut bench = Bench::idle(&["6400"]);
    bench.command(Command::Pause(Scope::All, None)).unwrap();
    assert_eq!(claim(&mut bench, 7), Err(Denial::NotReady));

    let mut bench = Bench::new(&[("6400", DYNAMIC)]);
    assert_eq!(claim(&mut bench, 7), Err(Denial::NotReady));
}

#[test]
fn c_020_a_free_agent_again_is_one_whose_claimed_call_is_over() {
    let mut bench = Bench::idle(&["6400"]);
    claim(&mut bench, 7).unwrap();

    bench.step(Input::OutOfCall(call(7))).unwrap();

    assert_eq!(claim(&mut bench, 8), Ok(()));
}
