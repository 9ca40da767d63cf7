use super::*;

/// Timer A of RFC 3261 17.1.1.2: it doubles until timer B after 64*T1.
#[test]
fn an_invite_is_repeated_by_timer_a_and_times_out_by_timer_b() {
    let mut bench = Bench::new();
    let (txn, _) = bench.start(Method::Invite, udp());

    let log = bench.until(secs(31));
    let at: Vec<_> = log.iter().map(|(at, _)| at.as_millis()).collect();
    assert_eq!(at, [500, 1_500, 3_500, 7_500, 15_500]);
    assert!(log.iter().all(|(_, output)| matches!(output, Output::Send { again: true, .. })));

    let log = bench.until(secs(40));
    // The next one would come at 31.5 s.
    assert_eq!(log.len(), 2);
    assert_eq!(log[0].0, millis(31_500));
    assert_eq!(log[1].0, secs(32));
    assert!(matches!(log[1].1, Output::Timeout { owner: 7, txn: t } if t == txn));
    assert!(bench.layer.is_empty());
}

/// Timer E of RFC 3261 17.1.2.2: it doubles up to T2, until timer F.
#[test]
fn another_request_is_repeated_by_timer_e_and_times_out_by_timer_f() {
    let mut bench = Bench::new();
    bench.start(Method::Options, udp());

    let log = bench.until(secs(60));

    let at: Vec<_> = log.iter().map(|(at, _)| at.as_millis()).collect();
    let expected =
        [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500, 32_000];
    assert_eq!(at, expected);
    assert!(matches!(log.last().unwrap().1, Output::Timeout { .. }));
}

#[test]
fn after_a_provisional_answer_another_request_is_repeated_every_t2() {
    let mut bench = Bench::new();
    let (_, branch) = bench.start(Method::Options, udp());
    bench.until(millis(400));
    bench.response(100, &branch, &Method::Options, udp());

    assert_eq!(bench.sent_at(secs(20)), [500, 4_500, 8_500, 12_500, 16_500]);
}

#[test]
fn nothing_is_repeated_on_a_stream_but_it_times_out() {
    for method in [Method::Invite, Method::Options] {
        let mut bench = Bench::new();
        bench.start(method, tcp());

        let log = bench.until(secs(60));

        assert_eq!(log.len(), 1);
        assert_eq!(log[0].0, secs(32));
        assert!(matches!(log[0].1, Output::Timeout { .. }));
        assert!(bench.layer.streams.is_empty());
    }
}

#[test]
fn a_provisional_answer_ends_timers_a_and_b() {
    let mut bench = Bench::new();
    let (_, branch) = bench.start(Method::Invite, udp());
    let out = bench.response(180, &branch, &Method::Invite, udp());

    assert_eq!(told(&out), [180]);
    assert!(bench.until(secs(3_600)).is_empty());
    assert_eq!(bench.layer.len(), 1);
}

#[test]
fn a_call_that_rings_past_the_stale_limit_is_given_up() {
    let mut bench = Bench::new();
    let (_, branch) = bench.start(Method::Invite, udp());
    bench.response(180, &branch, &Method::Invite, udp());

    let log = bench.until(secs(3 * 3_600));

    assert!(matches!(log[..], [(_, Output::Timeout { .. })]));
}

/// RFC 6026 7.2: timer M.
#[test]
fn every_2xx_goes_to_the_user_until_timer_m() {
    let mut bench = Bench::new();
    let (_, branch) = bench.start(Method::Invite, udp());
    assert_eq!(told(&bench.response(200, &branch, &Method::Invite, udp())), [200]);
    bench.until(secs(31));
    let out = bench.response(200, &branch, &Method::Invite, udp());
    assert_eq!(told(&out), [200]);
    assert_eq!(sends(&out), 0);

    assert!(bench.until(millis(32_001)).is_empty());

    assert!(bench.layer.is_empty());
}

/// RFC 3261 17.1.1.3: timer D.
#[test]
fn a_refusal_is_acknowledged_each_time_until_timer_d() {
    let mut bench = Bench::new();
    let (_, branch) = bench.start(Method::Invite, udp());

    let out = bench.response(486, &branch, &Method::Invite, udp());
    assert_eq!(told(&out), [486]);
    let ack = text(&out[0]);
    assert!(ack.starts_with("ACK sip:bob@example.com SIP/2.0\r\n"));
    assert!(ack.contains(&branch));
    assert!(ack.contains("To: <sip:bob@example.com>;tag=far\r\n"));
    assert!(ack.contains("CSeq: 1 ACK\r\n"));
    assert!(!ack.contains("Contact"));

    bench.until(secs(31));
    let out = bench.response(486, &branch, &Method::Invite, udp());
    assert_eq!((told(&out).len(), sends(&out)), (0, 1));
    assert_eq!(text(&out[0]), ack);
    bench.until(secs(33));
    assert!(bench.layer.is_empty());
}

#[test]
fn on_a_stream_timers_d_and_k_are_zero() {
    let mut bench = Bench::new();
    let (_, invite) = bench.start(Method::Invite, tcp());
    let out = bench.response(404, &invite, &Method::Invite, tcp());
    assert_eq!((told(&out).len(), sends(&out)), (1, 1));
    assert!(bench.layer.is_empty());

    let (_, options) = bench.start(Method::Options, tcp());
    bench.response(200, &options, &Method::Options, tcp());
    assert!(bench.layer.is_empty());
}

/// RFC 3261 17.1.2.2: timer K.
#[test]
fn repeated_final_answers_are_swallowed_until_timer_k() {
    let mut bench = Bench::new();
    let (_, branch) = bench.start(Method::Bye, udp());
    assert_eq!(told(&bench.response(200, &branch, &Method::Bye, udp())), [200]);
    assert!(bench.response(200, &branch, &Method::Bye, udp()).is_empty());
    bench.until(millis(4_999));
    assert_eq!(bench.layer.len(), 1);

    assert!(bench.until(secs(5)).is_empty());

    assert!(bench.layer.is_empty());
}

#[test]
fn an_answer_with_another_branch_or_method_reaches_nobody() {
    let mut bench = Bench::new();
    let (_, branch) = bench.start(Method::Options, udp());
    for raw in [
        response(200, "z9hG4bKguess", &Method::Options, "client-call", "x"),
        response(200, &branch, &Method::Bye, "client-call", "x"),
    ] {
        let mut out = Out::new();
        assert!(!bench.layer.response(bench.now, &message(&raw), udp(), &mut out));
        assert!(out.is_empty());
    }
}

#[test]
fn a_cancel_takes_the_invites_way_and_via() {
    let mut bench = Bench::new();
    let (_, branch) = bench.start(Method::Invite, udp());
    bench.response(180, &branch, &Method::Invite, udp());

    let path = bench.layer.open_cancel(bench.now, "client-call", 1, 9).unwrap();

    assert_eq!(path.flow, udp());
    assert!(path.via.contains(&branch));
    let mut out = Out::new();
    let bytes = Bytes::from(request(&Method::Cancel, &branch, "client-call", None));
    let sending = Sending { call_id: "client-call", cseq: 1, bytes };
    bench.layer.send(bench.now, path.txn, path.flow, sending, &mut out).unwrap();
    let out = bench.response(200, &branch, &Method::Cancel, udp());
    assert!(matches!(out[..], [Output::Response { owner: 9, .. }]));
    assert_eq!(told(&bench.response(487, &branch, &Method::Invite, udp())), [487]);
}

#[test]
fn an_answered_invite_cannot_be_cancelled() {
    let mut bench = Bench::new();
    let (_, branch) = bench.start(Method::Invite, udp());
    bench.response(200, &branch, &Method::Invite, udp());

    let refused = bench.layer.open_cancel(bench.now, "client-call", 1, 9).unwrap_err();

    assert_eq!(refused, super::super::Refused::NothingToCancel);
}

#[test]
fn a_closed_connection_fails_what_waits_on_it() {
    let mut bench = Bench::new();
    let (invite, branch) = bench.start(Method::Invite, tcp());
    bench.response(180, &branch, &Method::Invite, tcp());
    let other = FlowId::stream(2, peer());
    bench.start(Method::Options, other);

    let mut out = Out::new();
    bench.layer.stream_closed(tcp(), &mut out);

    assert!(matches!(&out[..], [Output::Failed { txn, .. }] if *txn == invite));
    assert_eq!(bench.layer.len(), 1);
}

#[test]
fn a_request_without_a_way_times_out_too() {
    let mut bench = Bench::new();
    bench.layer.open(bench.now, &Method::Invite, 7);

    let log = bench.until(secs(60));

    assert!(matches!(log[..], [(at, Output::Timeout { .. })] if at == secs(32)));
    assert!(bench.layer.is_empty());
}
