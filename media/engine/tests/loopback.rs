//! Calls over real sockets, with both backends.

#![allow(clippy::unwrap_used)]

mod peer;

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use peer::{Peer, Role, agreement, call, config, deaf, leg};
use tandem_engine::{Backend, Item, MediaEvent, PlayerId, Programme, Source, Tone, start};
use tandem_sdp::Codec;

const BACKENDS: [Backend; 2] = [Backend::Tokio, Backend::Epoll];

/// Lets two phones talk for a while; gives how much each heard of the other's tone.
fn conversation(backend: Backend, a: Role, b: Role) -> (f32, f32) {
    let engine = start(config(backend)).unwrap();
    let call = call();
    let (one, two) = (leg(call, 0), leg(call, 1));
    let phones = (Peer::start(&engine, one, a), Peer::start(&engine, two, b));
    engine.hear(one, vec![Source::Leg(two)]);
    engine.hear(two, vec![Source::Leg(one)]);

    thread::sleep(Duration::from_millis(1_800));

    let (one, two) = (phones.0.hang_up(), phones.1.hang_up());
    one.assert_one_stream();
    two.assert_one_stream();
    (one.share(b.hertz.unwrap()), two.share(a.hertz.unwrap()))
}

#[test]
fn two_phones_are_relayed() {
    for backend in BACKENDS {
        let shares =
            conversation(backend, Role::of(Codec::Pcmu, 600.0), Role::of(Codec::Pcmu, 1_200.0));

        assert!(shares.0 > 0.9 && shares.1 > 0.9, "{backend:?} {shares:?}");
    }
}

#[test]
fn an_encrypted_phone_talks_to_an_open_one() {
    let encrypted = Role { is_encrypted: true, ..Role::of(Codec::Pcmu, 600.0) };

    let shares = conversation(Backend::Epoll, encrypted, Role::of(Codec::Pcmu, 1_200.0));

    assert!(shares.0 > 0.9 && shares.1 > 0.9, "{shares:?}");
}

#[test]
fn codecs_are_translated() {
    for (backend, other) in [
        (Backend::Tokio, Codec::Opus),
        (Backend::Epoll, Codec::G722),
        (Backend::Epoll, Codec::Pcma),
    ] {
        let shares = conversation(backend, Role::of(Codec::Pcmu, 600.0), Role::of(other, 1_200.0));

        // Less than all: where the machine holds a phone up, its silence is heard too.
        assert!(shares.0 > 0.75 && shares.1 > 0.75, "{other:?} {shares:?}");
    }
}

#[test]
fn a_caller_hears_music_then_the_agent_in_one_stream() {
    for backend in BACKENDS {
        let engine = start(config(backend)).unwrap();
        let call = call();
        let (caller, agent) = (leg(call, 0), leg(call, 1));
        let role = Role { hertz: None, ..Role::of(Codec::Pcma, 0.0) };
        let caller_phone = Peer::start(&engine, caller, role);
        let agent_phone = Peer::start(&engine, agent, Role::of(Codec::Pcma, 1_000.0));
        let items = vec![Item::Tone(Tone::Hz(440.0), None)];
        engine.play(call, PlayerId(1), Programme { items, repeat: true }, deaf());
        engine.hear(caller, vec![Source::Player(PlayerId(1))]);
        thread::sleep(Duration::from_millis(700));
        engine.hear(caller, vec![Source::Leg(agent)]);
        thread::sleep(Duration::from_millis(1_500));

        let heard = caller_phone.hang_up();
        agent_phone.hang_up();

        heard.assert_one_stream();
        assert!(heard.share(1_000.0) > 0.9, "{}", heard.share(1_000.0));
    }
}

#[test]
fn a_prompt_tells_when_it_is_over() {
    for backend in BACKENDS {
        let engine = start(config(backend)).unwrap();
        let (sender, events) = mpsc::channel();
        let sink: tandem_engine::MediaSink = std::sync::Arc::new(move |event| {
            let _ = sender.send(event);
        });
        let call = call();
        engine.open(leg(call, 0), deaf()).unwrap();
        let items = vec![Item::Tone(Tone::Dial, Some(100))];

        engine.play(call, PlayerId(7), Programme { items, repeat: false }, sink);

        let event = events.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(event, MediaEvent::Finished { call, player: PlayerId(7) });
    }
}

#[test]
fn a_port_pair_is_reserved_in_well_under_a_millisecond() {
    let engine = start(config(Backend::Epoll)).unwrap();
    let call = call();
    let mut times: Vec<Duration> = (0..200)
        .map(|index| {
            let start = Instant::now();
            engine.open(leg(call, index), deaf()).unwrap();
            start.elapsed()
        })
        .collect();
    engine.close_call(call);

    times.sort_unstable();

    // A wide margin above what it takes, 30 µs, for machines that are busy.
    assert!(times[50] < Duration::from_millis(1), "{:?}", times[50]);
}

#[test]
fn figures_are_told_for_a_leg_and_none_for_a_stranger() {
    let engine = start(config(Backend::Tokio)).unwrap();
    let (known, unknown) = (leg(call(), 0), leg(call(), 9));
    engine.open(known, deaf()).unwrap();
    let remote = "127.0.0.1:9".parse().unwrap();
    engine.connect(known, agreement(Codec::Pcma, remote, None));

    let stats = engine.stats(known).blocking_recv().unwrap();

    assert_eq!((stats.codec, stats.remote), (Some(Codec::Pcma), Some(remote)));
    assert!(engine.stats(unknown).blocking_recv().is_err());
}
