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
