use super::*;

fn invite(branch: &str) -> String {
    request(&Method::Invite, branch, "server-call", None)
}

fn options(branch: &str) -> String {
    request(&Method::Options, branch, "server-call", None)
}

#[test]
fn a_silent_user_makes_a_100_after_200_ms() {
    let mut bench = Bench::new();
    bench.new_request(&invite("z9hG4bK1"), udp());

    let log = bench.until(secs(60));

    assert_eq!(log.len(), 1);
    assert_eq!(log[0].0, millis(200));
    let trying = text(&log[0].1);
    assert!(trying.starts_with("SIP/2.0 100 "));
    assert!(trying.contains("rport=5060"));
    let (arrival, out) = bench.request(&invite("z9hG4bK1"), udp());
    assert_eq!((arrival, sends(&out)), (Arrival::Absorbed, 1));
}

#[test]
fn a_user_who_answers_in_time_makes_no_100() {
    let mut bench = Bench::new();
    let txn = bench.new_request(&invite("z9hG4bK1"), udp());
    bench.until(millis(199));
    bench.respond(txn, 180).unwrap();

    assert!(bench.until(secs(60)).is_empty());

    let (_, out) = bench.request(&invite("z9hG4bK1"), udp());
    assert_eq!(text(&out[0]), "answer 180");
}

#[test]
fn a_repeated_invite_before_any_answer_is_swallowed() {
    let mut bench = Bench::new();
    bench.new_request(&invite("z9hG4bK1"), udp());

    let (arrival, out) = bench.request(&invite("z9hG4bK1"), udp());

    assert_eq!(arrival, Arrival::Absorbed);
    assert!(out.is_empty());
}

/// RFC 3261 17.2.1: timers G and H.
#[test]
fn a_refusal_is_repeated_by_timer_g_and_given_up_by_timer_h() {
    let mut bench = Bench::new();
    let txn = bench.new_request(&invite("z9hG4bK1"), udp());
    bench.respond(txn, 486).unwrap();

    let log = bench.until(secs(60));

    let at: Vec<_> = log.iter().map(|(at, _)| at.as_millis()).collect();
    let expected =
        [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500, 32_000];
    assert_eq!(at, expected);
    assert!(matches!(log.last().unwrap().1, Output::Gone { txn: gone, .. } if gone == txn));
    assert!(bench.layer.is_empty());
}

/// RFC 3261 17.2.1: timer I.
#[test]
fn an_ack_ends_timer_g_and_further_ones_are_swallowed_until_timer_i() {
    let mut bench = Bench::new();
    let txn = bench.new_request(&invite("z9hG4bK1"), udp());
    bench.respond(txn, 486).unwrap();
    let ack = request(&Method::Ack, "z9hG4bK1", "server-call", Some("ours"));

    assert_eq!(bench.request(&ack, udp()).0, Arrival::Absorbed);
    assert_eq!(bench.request(&ack, udp()).0, Arrival::Absorbed);

    assert!(bench.until(millis(4_999)).is_empty());
    assert_eq!(bench.layer.len(), 1);
    assert!(bench.until(secs(5)).is_empty());
    assert!(bench.layer.is_empty());
}

#[test]
fn on_a_stream_a_refusal_is_sent_once_and_ends_with_the_ack() {
    let mut bench = Bench::new();
    let txn = bench.new_request(&invite("z9hG4bK1"), tcp());
    bench.respond(txn, 486).unwrap();
    assert!(bench.until(secs(10)).is_empty());
    let ack = request(&Method::Ack, "z9hG4bK1", "server-call", Some("ours"));

    assert_eq!(bench.request(&ack, tcp()).0, Arrival::Absorbed);

    assert!(bench.layer.is_empty());
}

/// RFC 3261 26.3.2.4.
#[test]
fn a_challenge_is_not_repeated_of_itself() {
    let mut bench = Bench::new();
    let txn = bench.new_request(&invite("z9hG4bK1"), udp());
    bench.respond(txn, 401).unwrap();

    assert!(bench.sent_at(secs(31)).is_empty());

    let (_, out) = bench.request(&invite("z9hG4bK1"), udp());
    assert_eq!(text(&out[0]), "answer 401");
}

/// RFC 6026 7.1: timer L.
#[test]
fn after_a_2xx_repeated_invites_are_swallowed_until_timer_l() {
    let mut bench = Bench::new();
    let txn = bench.new_request(&invite("z9hG4bK1"), udp());
    bench.respond(txn, 200).unwrap();

    let (arrival, out) = bench.request(&invite("z9hG4bK1"), udp());
    assert_eq!((arrival, out.len()), (Arrival::Absorbed, 0));
    let again = bench.respond(txn, 200).unwrap();
    assert!(matches!(again[..], [Output::Send { again: true, .. }]));
    assert!(bench.respond(txn, 486).is_err());

    assert!(bench.until(millis(31_999)).is_empty());
    assert_eq!(bench.layer.len(), 1);
    assert!(bench.until(secs(32)).is_empty());
    assert!(bench.layer.is_empty());
}

#[test]
fn an_ack_to_a_2xx_belongs_to_the_dialog_whatever_its_branch() {
    let mut bench = Bench::new();
    let txn = bench.new_request(&invite("z9hG4bK1"), udp());
    bench.respond(txn, 200).unwrap();

    for branch in ["z9hG4bK1", "z9hG4bKother"] {
        let ack = request(&Method::Ack, branch, "server-call", Some("ours"));
        assert_eq!(bench.request(&ack, udp()).0, Arrival::Ack);
    }
}

/// RFC 3261 17.2.2: timer J.
#[test]
fn a_final_answer_is_repeated_on_demand_until_timer_j() {
    let mut bench = Bench::new();
    let txn = bench.new_request(&options("z9hG4bK1"), udp());
    assert!(bench.request(&options("z9hG4bK1"), udp()).1.is_empty());
    bench.respond(txn, 100).unwrap();
    assert_eq!(text(&bench.request(&options("z9hG4bK1"), udp()).1[0]), "answer 100");
    bench.respond(txn, 200).unwrap();
    assert!(bench.respond(txn, 500).is_err());

    bench.until(millis(31_999));
    assert_eq!(text(&bench.request(&options("z9hG4bK1"), udp()).1[0]), "answer 200");
    assert!(bench.until(secs(32)).is_empty());
    assert!(bench.layer.is_empty());
}

#[test]
fn on_a_stream_timer_j_is_zero() {
    let mut bench = Bench::new();
    let txn = bench.new_request(&options("z9hG4bK1"), tcp());
    bench.respond(txn, 200).unwrap();
    assert!(bench.layer.is_empty());
}

#[test]
fn a_request_that_nobody_answers_is_forgotten_after_64_t1() {
    let mut bench = Bench::new();
    bench.new_request(&options("z9hG4bK1"), udp());
    assert!(bench.until(secs(32)).is_empty());
    assert!(bench.layer.is_empty());
}

#[test]
fn a_cancel_finds_its_invite_only_from_the_same_address() {
    let mut bench = Bench::new();
    let invited = bench.new_request(&invite("z9hG4bK1"), udp());
    let cancel = request(&Method::Cancel, "z9hG4bK1", "server-call", None);

    let stranger = FlowId::datagram(0, "198.51.100.1:5060".parse().unwrap());
    match bench.request(&cancel, stranger).0 {
        Arrival::Cancel { txn, invite: None } => bench.layer.forget(txn),
        other => panic!("{other:?}"),
    }
    match bench.request(&cancel, udp()).0 {
        Arrival::Cancel { txn, invite } => {
            assert_eq!(invite, Some((invited, true)));
            assert!(bench.respond(txn, 200).is_ok());
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.request(&cancel, udp()).0, Arrival::Absorbed);
}

#[test]
fn a_cancel_after_the_final_answer_is_known_to_be_late() {
    let mut bench = Bench::new();
    let invited = bench.new_request(&invite("z9hG4bK1"), udp());
    bench.respond(invited, 200).unwrap();
    let cancel = request(&Method::Cancel, "z9hG4bK1", "server-call", None);

    let arrival = bench.request(&cancel, udp()).0;

    assert!(matches!(arrival, Arrival::Cancel { invite: Some((_, false)), .. }));
}

/// RFC 3261 8.2.2.2.
#[test]
fn the_same_request_along_another_path_is_merged() {
    let mut bench = Bench::new();
    bench.new_request(&invite("z9hG4bK1"), udp());

    let (arrival, _) = bench.request(&invite("z9hG4bK2"), udp());

    assert!(matches!(arrival, Arrival::Merged(_)));
}

/// RFC 3261 17.2.3, last paragraphs.
#[test]
fn an_rfc_2543_peer_without_the_branch_cookie_is_matched_by_its_headers() {
    let mut bench = Bench::new();
    let txn = bench.new_request(&invite("1"), udp());
    assert_eq!(bench.request(&invite("1"), udp()).0, Arrival::Absorbed);
    bench.respond(txn, 486).unwrap();
    let ack = request(&Method::Ack, "1", "server-call", Some("ours"));
    assert_eq!(bench.request(&ack, udp()).0, Arrival::Absorbed);

    let other = request(&Method::Invite, "1", "other-call", None);
    assert!(matches!(bench.request(&other, udp()).0, Arrival::New(_)));
}

#[test]
fn a_sent_by_of_another_host_makes_another_transaction() {
    let mut bench = Bench::new();
    bench.new_request(&options("z9hG4bK1"), udp());
    let other = options("z9hG4bK1")
        .replace("Via: SIP/2.0/UDP 192.0.2.7:5060", "Via: SIP/2.0/UDP 192.0.2.8:5060")
        .replace("server-call", "another-call");

    assert!(matches!(bench.request(&other, udp()).0, Arrival::New(_)));
}

#[test]
fn a_request_repeated_on_a_new_connection_is_answered_there() {
    let mut bench = Bench::new();
    let txn = bench.new_request(&options("z9hG4bK1"), tcp());
    let second = FlowId::stream(2, "192.0.2.7:40000".parse().unwrap());

    bench.request(&options("z9hG4bK1"), second);

    let out = bench.respond(txn, 200).unwrap();
    assert!(matches!(out[..], [Output::Send { flow, .. }] if flow == second));
}

#[test]
fn marks_of_rfc_3581_are_written_and_forged_ones_replaced() {
    let source = "198.51.100.9:4444".parse().unwrap();
    let stamp = |value| super::super::via::stamp(value, source);

    assert_eq!(
        stamp("SIP/2.0/UDP 10.1.1.1:5060;rport;branch=z9hG4bKx"),
        "SIP/2.0/UDP 10.1.1.1:5060;branch=z9hG4bKx;rport=4444;received=198.51.100.9"
    );
    assert_eq!(
        stamp("SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKx"),
        "SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKx"
    );
    assert_eq!(
        stamp("SIP/2.0/UDP pc.example.com;received=10.0.0.1;branch=z9hG4bKx"),
        "SIP/2.0/UDP pc.example.com;branch=z9hG4bKx;received=198.51.100.9"
    );
}

#[test]
fn a_via_is_read_in_all_its_spellings() {
    let read = super::super::via::ViaView::read;

    let view =
        read("SIP  / 2.0 / TCP     spindle.example.com  :  5070 ;branch  =  z9hG4bK9").unwrap();
    assert_eq!((view.transport, view.host, view.port), ("TCP", "spindle.example.com", Some(5070)));
    assert_eq!(view.branch, Some("z9hG4bK9"));
    let view = read("SIP/2.0/UDP [2001:db8::9:1]:5090;rport;alias").unwrap();
    assert_eq!((view.host, view.port), ("[2001:db8::9:1]", Some(5090)));
    assert!(view.rport && view.alias);
    assert_eq!(read("SIP/2.0/UDP"), None);
    assert_eq!(read("nonsense"), None);
}
