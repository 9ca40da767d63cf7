use tandem_kernel::{CallId, Timestamp};

use super::machine::{CallState, Effect, Input, Phone, Press, Refused, Talk};

fn at(secs: u64) -> Timestamp {
    Timestamp::from_micros(secs * 1_000_000)
}

fn call(number: u128) -> CallId {
    CallId::from_u128(number)
}

fn invite(phone: &mut Phone, line: u64) -> Vec<Effect> {
    let (number, name) = ("0912345678".to_owned(), "Ada".to_owned());
    let input = Input::Invited { line, call: call(line.into()), number, name };
    phone.step(at(0), input).unwrap()
}

fn press(phone: &mut Phone, press: Press) -> Result<Vec<Effect>, Refused> {
    phone.step(at(1), Input::Pressed(press))
}

fn state(phone: &Phone, line: u64) -> Option<CallState> {
    phone.calls().find(|(it, _)| *it == line).map(|(_, talk)| talk.state)
}

#[test]
fn a_call_rings_and_is_answered_once() {
    let mut phone = Phone::default();

    assert_eq!(invite(&mut phone, 1), [Effect::Ring(1)]);
    let answered = press(&mut phone, Press::Answer { line: 1 }).unwrap();

    assert_eq!(answered, [Effect::Answer(1), Effect::Talk(Some(1))]);
    assert_eq!(press(&mut phone, Press::Answer { line: 1 }), Err(Refused::NotRinging));
}

#[test]
fn answering_a_second_call_holds_the_first() {
    let mut phone = Phone::default();
    invite(&mut phone, 1);
    press(&mut phone, Press::Answer { line: 1 }).unwrap();
    invite(&mut phone, 2);

    let effects = press(&mut phone, Press::Answer { line: 2 }).unwrap();

    let held = Effect::Offer { line: 1, held: true };
    assert_eq!(effects, [held, Effect::Answer(2), Effect::Talk(Some(2))]);
    assert_eq!(state(&phone, 1), Some(CallState::Held));
}

#[test]
fn resuming_one_call_holds_the_other() {
    let mut phone = Phone::default();
    for line in [1, 2] {
        invite(&mut phone, line);
        press(&mut phone, Press::Answer { line }).unwrap();
    }

    let effects = press(&mut phone, Press::Resume { line: 1 }).unwrap();

    let held = Effect::Offer { line: 2, held: true };
    let back = Effect::Offer { line: 1, held: false };
    assert_eq!(effects, [held, back, Effect::Talk(Some(1))]);
}

#[test]
fn a_declined_call_is_told_so_and_forgotten() {
    let mut phone = Phone::default();
    invite(&mut phone, 1);

    let effects = press(&mut phone, Press::Decline { line: 1 }).unwrap();

    assert_eq!(effects, [Effect::End { line: 1, declined: true }, Effect::Forget(1)]);
    assert_eq!(press(&mut phone, Press::HangUp { line: 1 }), Err(Refused::NoCall(1)));
}

#[test]
fn the_leg_of_a_call_that_the_user_dialled_is_answered_as_it_comes() {
    let mut phone = Phone::default();
    let dialled = Input::Dialled { call: call(1), number: "1002".into() };
    phone.step(at(0), dialled).unwrap();

    let effects = invite(&mut phone, 1);

    assert_eq!(effects, [Effect::Answer(1), Effect::Talk(Some(1))]);
    let (_, talk) = phone.calls().next().unwrap();
    assert!(talk.outgoing && talk.number == "1002");
}

#[test]
fn an_attended_transfer_names_the_other_line_and_a_call_is_not_joined_with_itself() {
    let mut phone = Phone::default();
    for line in [1, 2] {
        invite(&mut phone, line);
        press(&mut phone, Press::Answer { line }).unwrap();
    }

    let effects = press(&mut phone, Press::Join { line: 1, with: 2 }).unwrap();

    let to = "0912345678".to_owned();
    assert_eq!(effects, [Effect::Refer { line: 1, to, replaces: Some(2) }]);
    assert_eq!(press(&mut phone, Press::Join { line: 1, with: 1 }), Err(Refused::WrongState));
}

#[test]
fn the_end_of_the_call_that_is_talked_with_leaves_the_browser_alone() {
    let mut phone = Phone::default();
    invite(&mut phone, 1);
    press(&mut phone, Press::Answer { line: 1 }).unwrap();

    let effects = phone.step(at(2), Input::Ended(1)).unwrap();

    assert_eq!(effects, [Effect::Talk(None), Effect::Forget(1)]);
    assert!(phone.is_quiet());
}

#[test]
fn a_ringing_call_can_not_be_held_or_transferred() {
    let mut phone = Phone::default();
    invite(&mut phone, 1);

    assert_eq!(press(&mut phone, Press::Hold { line: 1 }), Err(Refused::WrongState));
    let transfer = Press::Transfer { line: 1, to: "1002".into() };
    assert_eq!(press(&mut phone, transfer), Err(Refused::WrongState));
}

fn returned(phone: &mut Phone, line: u64, state: CallState) -> Vec<Effect> {
    let (number, name) = ("0912345678".to_owned(), String::new());
    let talk = Talk { call: call(line.into()), state, outgoing: false, number, name, since: at(3) };
    phone.step(at(3), Input::Returned { line, talk }).unwrap()
}

#[test]
fn a_leg_that_comes_back_is_talked_with_on_a_phone_that_does_not_know_it() {
    let mut phone = Phone::default();

    let effects = returned(&mut phone, 1, CallState::Up);

    assert_eq!(effects, [Effect::Rejoin { line: 1, held: false }, Effect::Talk(Some(1))]);
    assert_eq!(state(&phone, 1), Some(CallState::Up));
}

#[test]
fn a_leg_that_comes_back_is_held_if_its_user_held_it() {
    let mut phone = Phone::default();

    assert_eq!(returned(&mut phone, 1, CallState::Held), [Effect::Rejoin { line: 1, held: true }]);

    assert_eq!(state(&phone, 1), Some(CallState::Held));
}

#[test]
fn the_phone_knows_better_than_a_leg_that_comes_back_whether_its_user_holds() {
    let mut phone = Phone::default();
    invite(&mut phone, 1);
    press(&mut phone, Press::Answer { line: 1 }).unwrap();
    press(&mut phone, Press::Hold { line: 1 }).unwrap();

    let effects = returned(&mut phone, 1, CallState::Up);

    assert_eq!(effects, [Effect::Rejoin { line: 1, held: true }]);
    assert_eq!(phone.calls().count(), 1);
}

#[test]
fn a_leg_whose_user_hung_up_unheard_is_ended_when_it_comes_back() {
    let mut phone = Phone::default();
    invite(&mut phone, 1);
    press(&mut phone, Press::Answer { line: 1 }).unwrap();
    press(&mut phone, Press::HangUp { line: 1 }).unwrap();

    let effects = returned(&mut phone, 1, CallState::Up);

    assert_eq!(effects, [Effect::End { line: 1, declined: false }, Effect::Forget(1)]);
    assert!(phone.is_quiet());
}
