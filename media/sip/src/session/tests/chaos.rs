//! Any interleaving of commands and losses: nothing panics, and every session comes to rest.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Move {
    Command(usize, u8),
    Run(u64),
    /// The share of messages that are lost from now on, in percent.
    Loss(u8),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        12 => (0..2_usize, 0..13_u8).prop_map(|(end, which)| Move::Command(end, which)),
        1 => (0..2_usize, 13..15_u8).prop_map(|(end, which)| Move::Command(end, which)),
        8 => (0..400_u64).prop_map(Move::Run),
        2 => (400..40_000_u64).prop_map(Move::Run),
        1 => prop_oneof![Just(0), Just(30), Just(100)].prop_map(Move::Loss),
    ];
    prop::collection::vec(one, 1..40)
}

fn command(which: u8, id: ReferId) -> Command {
    match which {
        0 => Command::Trying,
        1 => Command::Ring { headers: Vec::new() },
        2 => Command::Progress { answer: sdp("progress") },
        3 | 4 => Command::Answer { answer: sdp("answer"), headers: Vec::new() },
        5 | 6 => Command::Offer { sdp: sdp("offer") },
        7 | 8 => Command::AnswerOffer { sdp: sdp("answered") },
        9 => Command::RefuseOffer { status: 488 },
        10 => Command::Refer { to: "sip:c@x".into(), replaces: None, referred_by: None },
        11 => Command::AcceptRefer { id },
        12 => Command::ReferProgress { id, status: 200, is_final: true },
        13 => Command::Reject { status: 486, reason: None, headers: Vec::new() },
        _ => Command::HangUp { reason: None },
    }
}

/// How a run begins: the call was just dialled, or the parties speak.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Start {
    Dialled,
    Speaking,
}

fn start() -> impl Strategy<Value = Start> {
    prop_oneof![1 => Just(Start::Dialled), 2 => Just(Start::Speaking)]
}

fn play(start: Start, moves: &[Move], has_offer: bool, reliable: bool, seed: u64) -> World {
    let mut world = World::new();
    for end in [A, B] {
        world.ends[end].identity.reliable = reliable;
        world.ends[end].identity.session_expires = Some(secs(90));
    }
    let offer = has_offer.then(|| sdp("offer-a"));
    world.dial(Dial { offer, call_id: format!("chaos-{seed}"), ..dial() });
    if start == Start::Speaking {
        world.run(DELAY * 2);
        world.answer();
    }
    for (at, step) in moves.iter().enumerate() {
        match step {
            Move::Run(milliseconds) => world.run(millis(*milliseconds)),
            Move::Loss(percent) => {
                let mut chance = Chance::of("loss", &format!("{seed}-{at}"));
                let percent = u64::from(*percent);
                world.sieve = Box::new(move |_, _| chance.below(100) >= percent);
            }
            Move::Command(end, which) => {
                let id = world.ends[*end].events.iter().rev().find_map(|event| match event {
                    Event::Referred { id, .. } => Some(*id),
                    _ => None,
                });
                if world.ends[*end].session.is_some() {
                    let _ = world.command(*end, command(*which, id.unwrap_or(ReferId(0))));
                }
            }
        }
    }
    world
}

fn check(world: &World) {
    for end in &world.ends {
        if end.session.is_none() {
            continue;
        }
        let ended = end.events.iter().filter(|event| matches!(event, Event::Ended { .. }));
        assert_eq!(ended.count(), 1, "{:?}", end.events);
        assert!(matches!(end.events.last(), Some(Event::Ended { .. })), "{:?}", end.events);
        assert_eq!((end.closed, end.late), (1, 0), "{:?}", end.session);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..<_>::default() })]

    #[test]
    fn whatever_happens_a_session_that_is_hung_up_comes_to_rest(
        start in start(),
        moves in moves(),
        has_offer in any::<bool>(),
        reliable in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut world = play(start, &moves, has_offer, reliable, seed);
        // Twice: a session may be made by an INVITE that was under way.
        for end in [A, B, A, B] {
            if world.ends[end].session.is_some() {
                let _ = world.command(end, Command::HangUp { reason: None });
            }
            world.run(secs(100));
        }
        check(&world);
    }

    /// The same with nobody hanging up: timers alone end what is dead, and without losses a
    /// call that stands goes on for ever.
    #[test]
    fn on_a_good_network_both_ends_agree_whether_the_call_stands(
        start in start(),
        moves in moves(),
        reliable in any::<bool>(),
    ) {
        let moves: Vec<Move> =
            moves.into_iter().filter(|step| !matches!(step, Move::Loss(_))).collect();
        let mut world = play(start, &moves, true, reliable, 1);
        // Whatever is open is settled.
        for _ in 0..4 {
            for end in [A, B] {
                if world.ends[end].session.is_some() {
                    let _ = world.command(end, Command::AnswerOffer { sdp: sdp("late") });
                }
            }
            world.run(secs(80));
        }
        let up = [A, B].map(|end| {
            world.ends[end].session.as_ref().is_some_and(Session::is_up)
        });
        prop_assert_eq!(up[A], up[B], "{:?} {:?}", world.ends[A].events, world.ends[B].events);
    }
}
