//! A confirmed session that goes on in another process.

use super::*;

#[test]
fn a_restored_session_goes_on_where_it_was() {
    let mut world = World::called();
    assert!(world.session(B).snapshot().is_none());
    world.answer();
    let snapshot = world.session(B).snapshot().unwrap();
    let text = serde_json_like(&snapshot);
    assert!(text.contains("b-tag"));

    let identity = world.ends[B].identity.clone();
    let (session, effects) = Session::restore(world.now, snapshot.clone(), &identity, None);
    assert_eq!(session.snapshot().map(|again| again == snapshot), Some(false));
    assert!(matches!(effects[0], Effect::Attach { .. }));
    world.ends[B].session = Some(session);
    world.ends[B].timers.clear();
    world.act(B, effects);
    world.forget();

    world.ok(B, Command::Offer { sdp: sdp("moved") });
    world.run(millis(100));
    assert_eq!(world.events(A), [Event::Offered { sdp: Some(sdp("moved")) }]);
    world.ok(A, Command::AnswerOffer { sdp: sdp("fine") });
    world.run(millis(100));
    assert_eq!(world.events(B), [Event::OfferAnswered { sdp: sdp("fine") }]);

    world.hang_up(B);
    world.run(millis(100));
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn a_session_that_is_pinned_asks_along_its_flow_from_where_it_says_it_is() {
    let mut world = World::speaking();
    let flow = FlowId::stream(7, "192.0.2.7:5060".parse().unwrap());
    let session = world.session(B);
    assert!(!session.snapshot().unwrap().is_on_connection());

    session.pin(flow, "sip:member-1@edge.example;transport=tcp");
    let command = Input::Command(Command::Offer { sdp: sdp("moved") });
    let effects = session.step(Instant::now(), command).unwrap();

    let asked = effects.iter().find_map(|effect| match effect {
        Effect::Request { draft, target, .. } => Some((draft, target)),
        _ => None,
    });
    let (draft, target) = asked.unwrap();
    assert_eq!(target.flow, Some(flow));
    let contact = draft.header(Name::Contact);
    assert_eq!(contact, Some("<sip:member-1@edge.example;transport=tcp>"));
    let kept = session.snapshot().unwrap();
    assert!(kept.is_on_connection() && kept.is_reliable());
    assert_eq!(kept.peer(), Some(flow.remote()));
}

/// What a snapshot holds, as text.
fn serde_json_like(snapshot: &Snapshot) -> String {
    format!("{snapshot:?}")
}

#[test]
fn a_session_that_has_ended_has_no_snapshot() {
    let mut world = World::speaking();
    world.hang_up(A);
    assert!(world.session(A).snapshot().is_none());
}
