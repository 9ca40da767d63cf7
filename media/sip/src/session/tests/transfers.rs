//! Transfers: asked for, taken, refused, and how they go.

use super::*;
use crate::value::ReferTo;

fn refer() -> Command {
    Command::Refer { to: "sip:carol@example.com".into(), replaces: None, referred_by: None }
}

fn referred(world: &mut World) -> (ReferId, ReferTo, Option<String>) {
    let found = world.events(B).into_iter().find_map(|event| match event {
        Event::Referred { id, to, referred_by } => Some((id, *to, referred_by)),
        _ => None,
    });
    found.expect("a transfer was asked for")
}

fn status(status: u16, is_final: bool) -> Event {
    Event::ReferStatus { status, is_final }
}

fn transferring() -> (World, ReferId) {
    let mut world = World::speaking();
    world.events(A);
    world.ok(A, refer());
    world.run(millis(100));
    let (id, _, _) = referred(&mut world);
    (world, id)
}

#[test]
fn a_transfer_is_accepted_and_its_progress_told() {
    let (mut world, id) = transferring();

    world.ok(B, Command::AcceptRefer { id });
    world.run(millis(100));
    assert_eq!(world.events(A), [status(202, false), status(100, false)]);
    world.ok(B, Command::ReferProgress { id, status: 180, is_final: false });
    world.run(millis(100));
    world.ok(B, Command::ReferProgress { id, status: 200, is_final: true });
    world.run(millis(100));

    assert_eq!(world.events(A), [status(180, false), status(200, true)]);
    let notify = world.last(B, "NOTIFY");
    assert_eq!(notify.header(Name::SubscriptionState), Some("terminated;reason=noresource"));
    assert_eq!(notify.header(Name::Event), Some(format!("refer;id={}", id.0).as_str()));
    assert_eq!(notify.body().as_ref(), b"SIP/2.0 200 OK\r\n");
    let again = Command::ReferProgress { id, status: 200, is_final: true };
    assert_eq!(world.command(B, again), Err(Refused::UnknownRefer));

    // It can be asked again.
    world.ok(A, refer());
}

#[test]
fn news_that_come_quickly_do_not_overtake_each_other() {
    let (mut world, id) = transferring();
    world.ok(B, Command::AcceptRefer { id });
    for (status, is_final) in [(180, false), (183, false), (200, true)] {
        world.ok(B, Command::ReferProgress { id, status, is_final });
    }
    world.run(secs(1));
    assert_eq!(world.count(B, "NOTIFY"), 2);
    assert_eq!(world.events(A), [status(202, false), status(100, false), status(200, true)]);
}

#[test]
fn how_a_transfer_ended_is_said_before_goodbye() {
    let (mut world, id) = transferring();
    world.ok(B, Command::AcceptRefer { id });
    world.ok(B, Command::ReferProgress { id, status: 200, is_final: true });
    assert_eq!(world.count(B, "NOTIFY"), 1, "the first is not answered yet");

    world.hang_up(B);
    world.run(secs(1));

    let told = [status(202, false), status(100, false), status(200, true)];
    assert_eq!(world.events(A)[..3], told);
}

#[test]
fn a_refused_transfer_is_told() {
    let (mut world, id) = transferring();
    world.ok(B, Command::RefuseRefer { id, status: 603 });
    world.run(millis(100));
    assert_eq!(world.events(A), [status(603, true)]);
    assert!(world.session(A).is_up());
}

#[test]
fn an_attended_transfer_carries_the_dialog_to_replace() {
    let mut world = World::speaking();
    let replaces = "abc@host;to-tag=x=1;from-tag=y".to_owned();
    world.ok(
        A,
        Command::Refer {
            to: "sip:carol@192.0.2.3:5062;transport=tcp".into(),
            replaces: Some(replaces),
            referred_by: Some("<sip:alice@example.com>".into()),
        },
    );
    world.run(millis(100));

    let raw = world.last(A, "REFER").header(Name::ReferTo).unwrap().to_owned();
    assert!(raw.contains("?Replaces=abc%40host%3Bto-tag%3Dx%3D1%3Bfrom-tag%3Dy"), "{raw}");
    let (_, to, referred_by) = referred(&mut world);
    assert_eq!(to.target.uri.to_string(), "sip:carol@192.0.2.3:5062;transport=tcp");
    let replaces = to.replaces.unwrap();
    assert_eq!((replaces.call_id.as_str(), replaces.to_tag.as_str()), ("abc@host", "x=1"));
    assert_eq!(referred_by.as_deref(), Some("<sip:alice@example.com>"));
}

#[test]
fn a_transfer_that_falls_silent_is_over_in_the_end() {
    let (mut world, id) = transferring();
    world.ok(B, Command::AcceptRefer { id });
    world.run(secs(200));
    assert_eq!(world.events(A).last(), Some(&status(408, true)));
}

#[test]
fn a_transferor_that_wants_no_news_gets_none() {
    let mut world = World::speaking();
    let draft = bench::draft_of_a(&mut world, Method::Refer, 2)
        .with(Name::ReferTo, "<sip:carol@example.com>")
        .with(Name::ReferSub, "false");
    world.deliver(B, draft.encode());
    let (id, ..) = referred(&mut world);
    world.ok(B, Command::AcceptRefer { id });
    assert_eq!(world.last(B, "202 REFER").header(Name::ReferSub), Some("false"));
    assert_eq!(world.count(B, "NOTIFY"), 0);
}

#[test]
fn a_subscription_that_the_peer_has_ended_does_not_end_the_call() {
    let (mut world, id) = transferring();
    world.ok(B, Command::AcceptRefer { id });
    world.run(millis(100));
    world.session(A).transfers = Transfers::default();
    world.ok(B, Command::ReferProgress { id, status: 180, is_final: false });
    world.run(millis(100));
    assert_eq!(world.count(A, "481 NOTIFY"), 1);
    assert!(world.session(B).is_up());
    let more = Command::ReferProgress { id, status: 200, is_final: true };
    assert_eq!(world.command(B, more), Err(Refused::UnknownRefer));
}

#[test]
fn two_targets_or_a_broken_one_are_refused() {
    for targets in [&["<sip:a@x>", "<sip:b@x>"][..], &["<>"][..]] {
        let mut world = World::speaking();
        let mut draft = bench::draft_of_a(&mut world, Method::Refer, 2);
        for target in targets {
            draft.push(Name::ReferTo, *target);
        }
        world.deliver(B, draft.encode());
        assert_eq!(world.count(B, "400 REFER"), 1);
    }
}

#[test]
fn an_unanswered_transfer_is_declined_when_the_call_ends() {
    let (mut world, _) = transferring();
    world.hang_up(B);
    world.run(secs(1));
    assert_eq!(world.count(B, "603 REFER"), 1);
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn a_malformed_target_is_the_owners_mistake() {
    let mut world = World::speaking();
    let refer = Command::Refer { to: "not a uri".into(), replaces: None, referred_by: None };
    assert_eq!(world.command(A, refer), Err(Refused::BadTarget));
}
