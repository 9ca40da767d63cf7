//! What an agent hears before the caller.

use super::*;

/// Agent 1001 has answered in a queue whose announcement is `for-agents`; what came of it.
fn announcing(introduction: Option<&str>) -> (Call, Vec<Effect>) {
    let mut call = queued();
    let introduction = introduction.map(str::to_owned);
    let to_agent = Some("for-agents".to_owned());
    let words = Announcements { to_agent, introduction, ..Announcements::default() };
    call.step(at(0), Input::QueueJoined).unwrap();
    call.step(at(0), Input::Announce(words)).unwrap();
    offer(&mut call, 1, 7, "1001");
    offer(&mut call, 1, 8, "1002");
    leg(&mut call, 2, 1, LegEvent::Ringing);
    let answered = leg(&mut call, 3, 1, LegEvent::Answered);
    (call, answered)
}

fn queue(act: QueueAct) -> Effect {
    Effect::Queue("6400".into(), act)
}

/// The prompt to the agent and the end of it that the call sets itself.
fn spoken(effects: &[Effect]) -> (Player, TimerId) {
    let player = effects.iter().find_map(|effect| match effect {
        Effect::Play(player, Sound::Prompt { file }) if file == "for-agents" => Some(*player),
        _ => None,
    });
    let timer = effects.iter().find_map(|effect| match effect {
        Effect::Arm(timer, _) => Some(*timer),
        _ => None,
    });
    (player.unwrap(), timer.unwrap())
}

#[test]
fn q_084_the_agent_hears_the_announcement_alone_while_the_caller_goes_on_waiting() {
    let (call, answered) = announcing(None);

    let (player, _) = spoken(&answered);
    assert!(answered.contains(&Effect::Hear(1, vec![Heard::Player(player)])));
    assert!(answered.contains(&Effect::HangUp(2, HangUp::NORMAL)), "the other phones stop");
    assert!(answered.contains(&queue(QueueAct::OfferAnnouncing(OfferId(7)))));
    let is_callers = |effect: &Effect| matches!(effect, Effect::Hear(0, _));
    assert!(!answered.iter().any(is_callers), "the music goes on: {answered:?}");
    assert_eq!(call.waits_in(), Some(("6400", 1)));
    let legs = call.picture().unwrap().legs;
    assert_eq!(legs.keys().copied().collect::<Vec<_>>(), [0], "another member lets the agent go");
}

#[test]
fn q_084_q_089_then_the_two_are_put_through_and_hear_the_agent_s_number() {
    let (mut call, answered) = announcing(Some("en"));
    let (player, _) = spoken(&answered);

    let through = call.step(at(9), Input::Played(player)).unwrap();

    assert!(through.contains(&queue(QueueAct::OfferAnswered(OfferId(7)))));
    for (one, other) in [(0, 1), (1, 0)] {
        let talks = |effect: &Effect| {
            matches!(effect, Effect::Hear(leg, heard)
                if *leg == one && heard.len() == 2 && heard[0] == Heard::Leg(other))
        };
        assert!(through.iter().any(talks), "{through:?}");
    }
    let over = leg(&mut call, 19, 0, bye());
    assert_eq!(last_fact(&over), ("answered", 10_000_000, 0), "the talk began at the ninth second");
}

#[test]
fn q_084_a_player_that_does_not_tell_its_end_holds_nobody_up() {
    let (mut call, answered) = announcing(None);
    let (_, timer) = spoken(&answered);

    let through = call.step(at(303), Input::Timer(timer)).unwrap();

    assert!(through.contains(&queue(QueueAct::OfferAnswered(OfferId(7)))));
}

#[test]
fn q_084_a_caller_who_hangs_up_meanwhile_has_abandoned_and_the_agent_is_let_go() {
    let (mut call, _) = announcing(None);

    let over = leg(&mut call, 5, 0, bye());

    assert!(call.is_over());
    assert!(over.contains(&queue(QueueAct::CallerGone)));
    assert!(over.contains(&Effect::HangUp(1, HangUp::NORMAL)));
    assert!(over.contains(&Effect::OutOfCall("1001".into())));
    assert_eq!(last_fact(&over), ("abandoned", 0, 0));
}

#[test]
fn q_084_an_agent_who_hangs_up_meanwhile_has_declined_and_the_next_rings() {
    let (mut call, answered) = announcing(None);
    let (player, _) = spoken(&answered);

    let left = leg(&mut call, 5, 1, bye());
    assert!(left.contains(&queue(QueueAct::OfferEnded(OfferId(7), OfferEnd::Rejected))));
    assert_eq!(call.step(at(6), Input::Played(player)).unwrap(), [], "an end that comes too late");
    let rings = offer(&mut call, 9, 9, "1002");

    assert!(rings.iter().any(|effect| matches!(effect, Effect::Dial { leg: 3, .. })));
    assert_eq!(call.waits_in(), Some(("6400", 1)));
}

#[test]
fn q_084_a_queue_that_takes_the_offer_back_or_the_caller_away_lets_the_agent_go() {
    let withdrawn = Input::Withdrawn { offer: OfferId(7) };
    let left = Input::QueueLeft { exit: Exit::KeyExit, failover: Destination::EndCall };
    for input in [withdrawn, left, Input::Command(CallCommand::HangUp)] {
        let (mut call, _) = announcing(None);

        let effects = call.step(at(5), input.clone()).unwrap();

        assert!(effects.contains(&Effect::HangUp(1, HangUp::NORMAL)), "{input:?}: {effects:?}");
    }
}

#[test]
fn q_084_an_agent_who_transfers_meanwhile_is_told_that_there_is_nobody_yet() {
    let (mut call, _) = announcing(None);

    let effects = leg(&mut call, 5, 1, LegEvent::Referred { refer: 4, to: "1003".into() });

    let status = Effect::TransferProgress { leg: 1, refer: 4, status: 491, last: true };
    assert_eq!(effects, [status]);
}
