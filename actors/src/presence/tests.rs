#![allow(clippy::unwrap_used)]
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tandem_config::resource::{Membership, Settings};
use tandem_kernel::{CallId, Timestamp};
use tandem_sip::message::{Draft, Message, Name};
use tandem_sip::net::{FlowId, Inbound, Transport, TxnId};
use tandem_sip::session::Identity;

use super::board::{Board, Effect, Input, MAX_PER_OWNER, SubscriptionId, Wish};
use super::body;
use super::watched::{self, Lamp, Mail, Progress, State, Talk, Watched};
use crate::agent::{AgentEvent, Facts, Source};

const QUEUE: &str = "6400";

fn login(agent: &str) -> Watched {
    Watched::Login { agent: agent.into(), queue: QUEUE.into() }
}

fn pause(agent: &str, reason: Option<&str>) -> Watched {
    let reason = reason.map(str::to_owned);
    Watched::Pause { agent: agent.into(), queue: QUEUE.into(), reason }
}

fn means(number: &str) -> Option<Watched> {
    watched::dialogs_of(&Settings::default(), "1001", number)
}

#[test]
fn q_225_q_226_q_228_a_key_watches_the_own_login_and_pause_or_anothers_pause_with_a_reason() {
    assert_eq!(means("*76400"), Some(login("1001")));
    assert_eq!(means("*076400"), Some(pause("1001", None)));
    assert_eq!(means("*071002*6400*01"), Some(pause("1002", Some("*01"))));
    assert_eq!(means("1002"), Some(Watched::Calls { extension: "1002".into() }));
    // A code without a state, and ones that are cut short.
    assert_eq!(means("*77"), None);
    for number in ["*071002*6400", "*07*6400*01", "*071002*6400*"] {
        assert!(!matches!(means(number), Some(Watched::Pause { agent, .. }) if agent == "1002"));
    }
}

fn facts(events: &[AgentEvent]) -> Facts {
    let mut facts = Facts::default();
    events.iter().for_each(|event| facts.evolve(event));
    facts
}

fn events() -> [AgentEvent; 4] {
    let (at, queues, source) = (Timestamp::from_secs(1), vec![QUEUE.to_owned()], Source::Phone);
    let (queue, membership) = (QUEUE.to_owned(), Membership::Dynamic);
    [
        AgentEvent::Added { at, queue, membership, logged_in: false },
        AgentEvent::LoggedIn { at, queues: queues.clone(), source },
        AgentEvent::Paused { at, queues: queues.clone(), reason: Some("*01".into()), source },
        AgentEvent::Resumed { at, queues, source },
    ]
}

#[test]
fn q_225_q_226_q_228_the_lamps_follow_the_agent() {
    let all = events();
    let lamps = |count: usize| {
        let facts = facts(&all[..count]);
        [login("1001"), pause("1001", None), pause("1001", Some("*01")), pause("1001", Some("*02"))]
            .map(|it| watched::lamp(&it, &facts))
    };
    let (green, red, flashing) = (Some(Lamp::Green), Some(Lamp::Red), Some(Lamp::Flashing));

    assert_eq!(lamps(0), [None; 4]);
    assert_eq!(lamps(1), [red, green, green, green]);
    assert_eq!(lamps(2), [green; 4]);
    assert_eq!(lamps(3), [green, flashing, red, green]);
    assert_eq!(lamps(4), [green; 4]);
}

fn talk(progress: Progress) -> Talk {
    Talk { progress, is_initiator: false, remote: "<5550100>".into(), is_held: false }
}

fn calls(talks: &[Progress]) -> State {
    let talks = talks.iter().enumerate();
    State::Calls(talks.map(|(n, it)| ((CallId::from_u128(7), n as u16), talk(*it))).collect())
}

fn text(state: &State) -> String {
    let content = body::of(state, "sip:1001@pbx", 3);
    String::from_utf8(content.body.to_vec()).unwrap()
}

#[test]
fn dialog_info_has_a_dialog_for_each_call_and_one_that_is_over_for_none() {
    let idle = text(&calls(&[]));
    let busy = text(&calls(&[Progress::Early, Progress::Confirmed]));

    assert!(idle.contains("version=\"3\" state=\"full\" entity=\"sip:1001@pbx\""), "{idle}");
    assert!(idle.contains("<dialog id=\"1001\"><state>terminated</state></dialog>"), "{idle}");
    assert!(busy.contains("<state>early</state>") && busy.contains("<state>confirmed</state>"));
    assert!(busy.contains("direction=\"recipient\""), "{busy}");
    assert!(busy.contains("sip:&lt;5550100&gt;@pbx") && !busy.contains("<5550100>"), "{busy}");
}

#[test]
fn a_message_summary_counts_new_and_old() {
    let body = text(&State::Mail(Mail { new: 2, old: 8 }));

    assert_eq!(
        body,
        "Messages-Waiting: yes\r\nMessage-Account: sip:1001@pbx\r\nVoice-Message: 2/8 (0/0)\r\n"
    );
    assert!(text(&State::Mail(Mail { new: 0, old: 1 })).starts_with("Messages-Waiting: no"));
}

fn inbound(number: u64, call: &str, cseq: u32, to_tag: &str, more: &str) -> Box<Inbound> {
    let source: SocketAddr = "192.0.2.9:5060".parse().unwrap();
    let text = format!(
        "SUBSCRIBE sip:1002@pbx SIP/2.0\r\nVia: SIP/2.0/UDP {source};branch=z9hG4bK{number}\r\n\
         From: <sip:1001@pbx>;tag=phone\r\nTo: <sip:1002@pbx>{to_tag}\r\nCall-ID: {call}\r\n\
         CSeq: {cseq} SUBSCRIBE\r\nContact: <sip:1001@{source}>\r\nEvent: dialog;id=4\r\n{more}\
         Content-Length: 0\r\n\r\n"
    );
    Box::new(Inbound {
        txn: TxnId::from_u64(number),
        request: Message::parse(text.into()).unwrap(),
        flow: FlowId::datagram(0, source),
        transport: Transport::Udp,
        source,
        local: "192.0.2.1:5060".parse().unwrap(),
    })
}

fn watched() -> Watched {
    Watched::Calls { extension: "1002".into() }
}

fn wish(number: u64, more: &str) -> Input {
    Input::Subscribe(Box::new(Wish {
        inbound: inbound(number, &format!("call-{number}"), 1, "", more),
        owner: "1001".into(),
        watched: watched(),
        state: calls(&[]),
        entity: "sip:1002@pbx".into(),
        identity: Identity::new("sip:192.0.2.1"),
        tag: "ours".into(),
    }))
}

/// What the effects put on the wire: statuses, and NOTIFYs by Subscription-State and body.
fn said(effects: &[Effect]) -> Vec<String> {
    let notify = |draft: &Draft| {
        let state = draft.header(Name::SubscriptionState).unwrap();
        let body = String::from_utf8_lossy(draft.body()).into_owned();
        let states = ["trying", "early", "confirmed", "terminated"];
        let shown = states.iter().find(|it| body.contains(&format!("<state>{it}</state>")));
        assert_eq!(draft.header(Name::Event), Some("dialog;id=4"));
        format!("{state} {}", shown.unwrap())
    };
    let said = effects.iter().filter_map(|effect| match effect {
        Effect::Respond(_, draft) => Some(draft.status().unwrap().to_string()),
        Effect::Notify(_, request) => Some(notify(&request.0)),
        Effect::Detach(_) => Some("gone".to_owned()),
        Effect::Attach { .. } | Effect::Unwatched(_) => None,
    });
    said.collect()
}

fn subscribed() -> (Board, Instant) {
    let (mut board, now) = (Board::default(), Instant::now());
    let effects = board.step(now, wish(1, "Expires: 300\r\n"));
    assert_eq!(said(&effects), ["200", "active;expires=300 terminated"]);
    assert!(matches!(&effects[0], Effect::Attach { local_tag, .. } if local_tag == "ours"));
    (board, now)
}

const FIRST: SubscriptionId = SubscriptionId(1);

#[test]
fn what_changes_while_a_notify_is_under_way_is_told_once_and_as_it_is_then() {
    let (mut board, now) = subscribed();
    for progress in [Progress::Trying, Progress::Early, Progress::Confirmed] {
        assert!(said(&board.step(now, Input::Changed(watched(), calls(&[progress])))).is_empty());
    }

    let effects = board.step(now, Input::Answered(FIRST, Some(200)));

    assert_eq!(said(&effects), ["active;expires=300 confirmed"]);
    board.step(now, Input::Answered(FIRST, Some(200)));
    let same = Input::Changed(watched(), calls(&[Progress::Confirmed]));
    assert!(said(&board.step(now, same)).is_empty());
    let over = Input::Changed(watched(), calls(&[]));
    assert_eq!(said(&board.step(now, over)), ["active;expires=300 terminated"]);
}

#[test]
fn a_subscription_is_refreshed_runs_out_and_is_taken_back() {
    let (mut board, now) = subscribed();
    board.step(now, Input::Answered(FIRST, Some(200)));
    let later = now + Duration::from_secs(200);
    let again = |cseq, more| Input::Again(FIRST, inbound(9, "call-1", cseq, ";tag=ours", more));

    let refreshed = board.step(later, again(2, "Expires: 3600\r\n"));
    let old = board.step(later, again(2, "Expires: 3600\r\n"));
    board.step(later, Input::Answered(FIRST, Some(200)));
    let early = board.step(later + Duration::from_secs(599), Input::Tick);
    let late = board.step(later + Duration::from_secs(600), Input::Tick);

    // Longer than the longest is cut (RFC 6665 4.2.1.1).
    assert_eq!(said(&refreshed), ["200", "active;expires=600 terminated"]);
    assert_eq!((said(&old), said(&early)), (vec!["500".to_owned()], vec![]));
    assert_eq!(said(&late), ["terminated;reason=timeout terminated", "gone"]);
    assert!(board.is_empty() && !board.is_watched(&watched()));

    let (mut board, now) = subscribed();
    let ended = board.step(now, again(2, "Expires: 0\r\n"));
    assert_eq!(said(&ended), ["200", "terminated;reason=timeout terminated", "gone"]);
}

#[test]
fn a_phone_that_does_not_know_its_subscription_any_more_is_told_nothing_more() {
    for status in [Some(481), None] {
        let (mut board, now) = subscribed();

        assert_eq!(said(&board.step(now, Input::Answered(FIRST, status))), ["gone"]);

        let effects = board.step(now, Input::Changed(watched(), calls(&[Progress::Early])));
        assert!(said(&effects).is_empty());
    }
}

#[test]
fn a_subscription_that_is_too_short_or_to_nothing_is_refused() {
    let (mut board, now) = (Board::default(), Instant::now());

    assert_eq!(said(&board.step(now, wish(1, "Expires: 5\r\n"))), ["423"]);
    let effects = board.step(now, wish(2, "Expires: 0\r\n"));

    // A look: one NOTIFY and no more (RFC 6665 4.4.3).
    assert_eq!(said(&effects), ["200", "terminated;reason=timeout terminated", "gone"]);
    assert!(board.is_empty());
}

#[test]
fn the_oldest_subscription_of_an_extension_that_has_too_many_is_ended() {
    let (mut board, now) = (Board::default(), Instant::now());
    for number in 1..=MAX_PER_OWNER as u64 {
        board.step(now, wish(number, ""));
    }

    let effects = board.step(now, wish(1_000, ""));

    let told = said(&effects);
    assert_eq!(told[0], "terminated;reason=probation;retry-after=60 terminated");
    assert_eq!(told[1..3], ["gone", "200"]);
    assert_eq!(board.len(), MAX_PER_OWNER);
}

#[test]
fn a_node_that_drains_sends_its_subscribers_away_and_takes_no_new_ones() {
    let (mut board, now) = subscribed();

    let drained = board.step(now, Input::Drain);
    let late = board.step(now, wish(2, ""));

    assert_eq!(said(&drained), ["terminated;reason=deactivated terminated", "gone"]);
    assert_eq!(said(&late), ["503"]);
}

#[test]
fn what_is_not_there_any_more_ends_its_subscriptions() {
    let (mut board, now) = subscribed();

    let effects = board.step(now, Input::Vanished(watched()));

    assert_eq!(said(&effects), ["terminated;reason=noresource terminated", "gone"]);
}
