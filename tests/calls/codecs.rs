//! G.722, and another codec in the middle of a call.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::sound::{Recording, profile};
use tandem_tests::{Office, Phone};
use tokio::time::sleep;

const G722: &str = "G722/16000/1";
const PCMA: &str = "PCMA/8000/1";

async fn connect(caller: &mut Phone, callee: &mut Phone) {
    caller.call("1001").await;
    callee.expect("incoming").await;
    callee.answer().await;
    caller.expect_state("CONFIRMED").await;
    callee.expect_state("CONFIRMED").await;
}

/// Asserts that a frequency rules for two seconds. Frames that a busy machine lost may be missing.
fn assert_tone(path: &Path, hertz: f64) {
    let recording = Recording::read(path);
    let from = recording.first(hertz).map(|first| first + 0.2);
    let share = from.map_or(0.0, |from| recording.frames_with(hertz, from, from + 2.0));
    assert!(share > 0.85, "{hertz} Hz in {share:.2} of the time{}", profile(&recording));
}

/// The codec that a phone speaks.
async fn codec(phone: &mut Phone) -> String {
    phone.tell(json!({ "do": "stats" })).await;
    phone.expect("stats").await["codec"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn two_phones_with_g722_hear_what_no_narrow_band_codec_carries() {
    let office = Office::open().await;
    let mut one = office.phone("1000", 5_000, json!({ "codecs": [G722] })).await;
    let mut two = office.phone("1001", 6_000, json!({ "codecs": [G722, PCMA] })).await;

    connect(&mut one, &mut two).await;
    sleep(Duration::from_secs(3)).await;
    let codecs = (codec(&mut one).await, codec(&mut two).await);
    one.hang_up().await;
    two.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_eq!(codecs, ("G722".to_owned(), "G722".to_owned()));
    assert_tone(&one.recording(1), 6_000.0);
    assert_tone(&two.recording(1), 5_000.0);
}

#[tokio::test]
async fn g722_on_one_side_and_pcma_on_the_other_hear_each_other() {
    let office = Office::open().await;
    let mut one = office.phone("1000", 700, json!({ "codecs": [G722] })).await;
    let mut two = office.phone("1001", 1_100, json!({ "codecs": [PCMA] })).await;

    connect(&mut one, &mut two).await;
    sleep(Duration::from_secs(3)).await;
    let codecs = (codec(&mut one).await, codec(&mut two).await);
    one.hang_up().await;
    two.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_eq!(codecs, ("G722".to_owned(), "PCMA".to_owned()));
    assert_tone(&one.recording(1), 1_100.0);
    assert_tone(&two.recording(1), 700.0);
}

#[tokio::test]
async fn a_codec_that_changes_within_a_call_is_heard_on_both_sides() {
    let office = Office::open().await;
    let mut one = office.phone("1000", 700, json!({ "codecs": [PCMA] })).await;
    let mut two = office.phone("1001", 1_100, Value::Null).await;
    connect(&mut one, &mut two).await;
    sleep(Duration::from_secs(1)).await;
    let before = (codec(&mut one).await, codec(&mut two).await);
    one.forget();

    one.tell(json!({ "do": "reinvite", "codecs": [G722] })).await;
    one.expect_where("media", |event| event["status"] == "active").await;
    sleep(Duration::from_millis(300)).await;
    let (heard_by_one, heard_by_two) = (one.record("after").await, two.record("after").await);
    sleep(Duration::from_secs(3)).await;
    let after = (codec(&mut one).await, codec(&mut two).await);
    one.hang_up().await;
    two.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_eq!(before, ("PCMA".to_owned(), "PCMA".to_owned()));
    assert_eq!(after.0, "G722");
    assert_tone(&heard_by_one, 1_100.0);
    assert_tone(&heard_by_two, 700.0);
}
