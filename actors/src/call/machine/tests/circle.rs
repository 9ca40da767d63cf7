//! A call that a carrier or another exchange leads back to us.

use super::*;

fn from_outside(trunks: &[&str]) -> Call {
    let mut call = Call::new(CallId::from_u128(1), at(0));
    let caller =
        Party::Outside { trunk: "a".into(), number: "5550199".into(), name: String::new() };
    let input = Input::Begin { caller, dialled: "x".into(), route: lines(trunks) };
    call.step(at(0), input).unwrap();
    call
}

fn dials(effects: &[Effect]) -> bool {
    effects.iter().any(|it| matches!(it, Effect::Dial { .. }))
}

#[test]
fn a_circle_ends_the_call_from_outside_and_says_why() {
    for status in [482, 483] {
        let mut call = from_outside(&["a", "b"]);

        let effects = leg(&mut call, 1, 1, ended(status));

        assert!(!dials(&effects), "{status}: the other line makes two circles of one");
        assert_eq!(told(&effects), (status, 25));
        assert_eq!(last_fact(&effects).0, "failed");
    }
}

#[test]
fn an_own_phones_call_tries_the_next_line_when_the_first_goes_in_a_circle() {
    let (mut call, _) = begun(lines(&["a", "b"]));
    assert!(dials(&leg(&mut call, 1, 1, ended(483))));
}
