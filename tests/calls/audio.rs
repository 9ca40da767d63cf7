//! What is heard: codecs, transports, encryption, hold, test numbers.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tandem_tests::api::secs;
use tandem_tests::sound::{Recording, assert_heard, assert_music};
use tandem_tests::{Baresip, Office, Phone};
use tokio::time::sleep;

/// One phone calls the other; they talk for a while; the caller hangs up.
async fn talk(caller: &mut Phone, callee: &mut Phone, number: &str, secs: u64) {
    caller.call(number).await;
    callee.expect("incoming").await;
    callee.answer().await;
    caller.expect_state("CONFIRMED").await;
    callee.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(secs)).await;
    caller.tell(json!({ "do": "stats" })).await;
    let stats = caller.expect("stats").await;
    assert_eq!(stats["lost"], 0, "{stats}");
    caller.hang_up().await;
    caller.expect_end().await;
    callee.expect_end().await;
    sleep(Duration::from_millis(200)).await;
}

#[tokio::test]
async fn two_extensions_hear_each_other_for_ten_seconds() {
    let office = Office::open().await;
    let mut one = office.phone("1000", 700, Value::Null).await;
    let mut two = office.phone("1001", 1100, Value::Null).await;

    talk(&mut one, &mut two, "1001", 11).await;

    assert_heard(&one.recording(1), 1100.0, 10.0);
    assert_heard(&two.recording(1), 700.0, 10.0);
    let record = office.api.record("number=1000").await;
    assert_eq!(record["outcome"], "answered", "{record}");
    assert_eq!(record["answered_by"], "1001", "{record}");
    assert!((10.9..12.0).contains(&secs(&record, "talk_secs")), "{record}");
}

#[tokio::test]
async fn the_test_numbers_give_an_echo_one_kilohertz_and_music() {
    let office = Office::open().await;
    let mut phone = office.phone("1000", 700, Value::Null).await;

    for number in ["*43", "*44", "*45"] {
        phone.call(number).await;
        phone.expect_state("CONFIRMED").await;
        sleep(Duration::from_secs(4)).await;
        phone.hang_up().await;
        phone.expect_end().await;
    }
    sleep(Duration::from_millis(200)).await;

    assert_heard(&phone.recording(1), 700.0, 3.0);
    assert_heard(&phone.recording(2), 1000.0, 3.0);
    assert_music(&phone.recording(3));
}

#[tokio::test]
#[ignore = "counts single frames: needs an idle machine; run with --ignored"]
async fn pcma_on_one_side_and_pcmu_on_the_other_hear_each_other() {
    let office = Office::open().await;
    let mut one = office.phone("1000", 700, json!({ "codecs": ["PCMA/8000/1"] })).await;
    let mut two = office.phone("1001", 1100, json!({ "codecs": ["PCMU/8000/1"] })).await;

    talk(&mut one, &mut two, "1001", 7).await;

    assert_heard(&one.recording(1), 1100.0, 6.0);
    assert_heard(&two.recording(1), 700.0, 6.0);
}

#[tokio::test]
#[ignore = "counts single frames: needs an idle machine; run with --ignored"]
async fn opus_on_one_side_and_pcmu_on_the_other_hear_each_other() {
    let office = Office::open().await;
    let server = office.node.sip("udp").to_owned();
    let secret = office.node.password("1000");
    let codec = "opus/48000/2";
    let mut one = Baresip::registered(&server, "1000", secret, 700, codec, office.dir()).await;
    let mut two = office.phone("1001", 1100, json!({ "codecs": ["PCMU/8000/1"] })).await;

    one.command("dial", "1001").await;
    two.expect("incoming").await;
    two.answer().await;
    two.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(7)).await;
    two.hang_up().await;
    one.expect("CALL_CLOSED").await;
    sleep(Duration::from_millis(500)).await;

    assert_heard(&one.recording(), 1100.0, 6.0);
    assert_heard(&two.recording(1), 700.0, 6.0);
}

#[tokio::test]
async fn digits_reach_the_other_phone_as_rfc_4733_events() {
    let office = Office::open().await;
    let mut one = office.phone("1000", 700, json!({ "codecs": ["PCMA/8000/1"] })).await;
    let mut two = office.phone("1001", 1100, json!({ "auto_answer": true })).await;
    one.call("1001").await;
    one.expect_state("CONFIRMED").await;
    sleep(Duration::from_millis(500)).await;

    one.tell(json!({ "do": "dtmf", "digits": "1590#" })).await;

    for digit in ["1", "5", "9", "0", "#"] {
        let heard = two.expect("dtmf").await;
        assert_eq!(heard["digit"], digit, "{heard}");
    }
    assert!(!two.sees("dtmf", Duration::from_millis(500)).await, "a digit came twice");
}

#[tokio::test]
async fn phones_talk_over_tcp_and_over_tls_with_srtp() {
    let office = Office::open().await;
    // A phone that demands SRTP is offered it.
    let encrypted = json!({ "encryption": "required" });
    office.api.patch("/api/v1/extensions/1002", encrypted).await;
    let kinds = [
        (json!({ "transport": "tcp" }), json!({ "transport": "tcp" })),
        (json!({ "transport": "tls", "srtp": true }), json!({ "transport": "udp" })),
    ];
    let talks = kinds.into_iter().enumerate().map(|(pair, (a, b))| {
        let office = &office;
        async move {
            let (x, y) = (["1000", "1002"][pair], ["1001", "1003"][pair]);
            let mut one = office.phone(x, 700, a).await;
            let mut two = office.phone(y, 1100, b).await;
            talk(&mut one, &mut two, y, 6).await;
            talk(&mut two, &mut one, x, 4).await;
            (one.recording(1), two.recording(1), one.recording(2), two.recording(2))
        }
    });

    for (one_first, two_first, one_second, two_second) in join_all(talks).await {
        assert_heard(&one_first, 1100.0, 5.0);
        assert_heard(&two_first, 700.0, 5.0);
        assert_heard(&one_second, 1100.0, 3.0);
        assert_heard(&two_second, 700.0, 3.0);
    }
}

#[tokio::test]
async fn a_phone_that_demands_srtp_calls_and_is_called_with_encryption_left_optional() {
    let office = Office::open().await;
    // One that signals in clear is offered SRTP after its 488, one over TLS at once; and a
    // phone over TLS that knows no SRTP is offered plain media after its own.
    let kinds = [
        (json!({ "srtp": true }), Value::Null, "1000", "1001"),
        (json!({ "transport": "tls", "srtp": true }), Value::Null, "1002", "1003"),
        (json!({ "transport": "tls" }), json!({ "srtp": true }), "1004", "1005"),
    ];
    let talks = kinds.into_iter().map(|(a, b, x, y)| {
        let office = &office;
        async move {
            let mut one = office.phone(x, 700, a).await;
            let mut two = office.phone(y, 1100, b).await;
            talk(&mut one, &mut two, y, 4).await;
            talk(&mut two, &mut one, x, 4).await;
            [one.recording(1), two.recording(1), one.recording(2), two.recording(2)]
        }
    });

    for heard in join_all(talks).await {
        for (recording, hertz) in heard.iter().zip([1100.0, 700.0, 1100.0, 700.0]) {
            assert_heard(recording, hertz, 3.0);
        }
    }
}

#[tokio::test]
async fn a_held_party_hears_music_until_it_is_taken_back() {
    let office = Office::open().await;
    let mut one = office.phone("1000", 700, Value::Null).await;
    let mut two = office.phone("1001", 1100, Value::Null).await;
    one.call("1001").await;
    two.expect("incoming").await;
    two.answer().await;
    one.expect_state("CONFIRMED").await;
    two.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(2)).await;

    one.tell(json!({ "do": "hold" })).await;
    one.expect_where("media", |event| event["status"] == "local_hold").await;
    sleep(Duration::from_millis(300)).await;
    let music = two.record("held").await;
    sleep(Duration::from_secs(4)).await;
    one.forget();
    one.tell(json!({ "do": "resume" })).await;
    one.expect_where("media", |event| event["status"] == "active").await;
    sleep(Duration::from_millis(300)).await;
    let (heard_by_one, heard_by_two) = (one.record("after").await, two.record("after").await);
    sleep(Duration::from_secs(4)).await;
    one.hang_up().await;
    two.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_music(&music);
    let held = Recording::read(&music);
    assert!(held.frames_with(700.0, 0.5, 3.5) < 0.1, "the holder is heard while on hold");
    assert_heard(&heard_by_one, 1100.0, 3.0);
    assert_heard(&heard_by_two, 700.0, 3.0);
    let record = office.api.record("number=1000").await;
    assert!((3.5..6.0).contains(&secs(&record, "hold_secs")), "{record}");
}
