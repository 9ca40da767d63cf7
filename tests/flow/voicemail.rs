//! Voicemail: left, listed, listened to, deleted; the tone in it is measured.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::sound::Recording;
use tandem_tests::{Office, Phone};
use tokio::time::sleep;

use crate::{hears, press, steps, voicemail};

/// The beep after which the recording begins.
const BEEP: f64 = 850.0;

/// Calls a number and speaks (a tone) for three seconds after the beep.
pub(crate) async fn leave(caller: &mut Phone, number: &str, call: u32) {
    caller.call(number).await;
    caller.expect_state("CONFIRMED").await;
    hears(caller, call, BEEP).await;
    sleep(Duration::from_secs(3)).await;
}

/// The messages of a mailbox, as soon as there are so many.
pub(crate) async fn messages(office: &Office, mailbox: &str, count: usize) -> Vec<Value> {
    let path = format!("/api/v1/voicemail/{mailbox}/messages");
    let has = |answer: &Value| tandem_tests::api::items(answer).len() == count;
    tandem_tests::api::items(&office.api.wait_for(&path, has).await)
}

/// A message holds the caller's tone and is what its checksum says.
pub(crate) async fn assert_tone(office: &Office, mailbox: &str, message: &Value, hertz: f64) {
    let id = message["id"].as_str().unwrap();
    let path = format!("/api/v1/voicemail/{mailbox}/messages/{id}/audio");
    let audio = office.api.bytes(&path).await;
    assert_eq!(blake3::hash(&audio).to_hex().as_str(), message["checksum"], "{message}");
    let recording = Recording::of(&audio);
    let good = recording.frames_with(hertz, 0.5, recording.secs() - 0.5);
    assert!(good > 0.95, "{hertz} Hz in {:.0} % of the message", good * 100.0);
    assert!(recording.level(0.5, 2.0) > 200.0, "the message is too quiet");
}

#[tokio::test]
async fn q_026_a_message_is_left_for_an_extension_and_heard_and_deleted_by_phone() {
    let office = Office::open().await;
    let greeting = office.api.upload_tone("greeting", 600.0, 1.0).await;
    voicemail(&office, "1001", &greeting).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    leave(&mut caller, "1001", 1).await;
    hears(&caller, 1, 600.0).await;
    press(&mut caller, "#").await;
    caller.expect_end().await;

    let left = messages(&office, "1001", 1).await;
    assert_eq!(left[0]["from"], "1000", "{left:?}");
    let length = left[0]["length_secs"].as_f64().unwrap();
    assert!((2.5..5.0).contains(&length), "{left:?}");
    assert_tone(&office, "1001", &left[0], 700.0).await;
    let record = office.api.record("number=1000").await;
    assert_eq!(record["outcome"], "voicemail", "{record}");
    assert_eq!(
        steps(&office, "1000").await,
        [
            "ring 1001: 0 phones in 1 rounds",
            "voicemail 1001: greeted",
            "voicemail 1001: the message is kept"
        ]
    );

    let mut owner = office.phone("1001", 0, Value::Null).await;
    owner.call("*2").await;
    owner.expect_state("CONFIRMED").await;
    sleep(Duration::from_millis(300)).await;
    press(&mut owner, "4711#").await;
    hears(&owner, 1, 700.0).await;
    let heard = |answer: &Value| answer["items"][0]["heard_at"].is_string();
    office.api.wait_for("/api/v1/voicemail/1001/messages", heard).await;
    press(&mut owner, "7").await;
    messages(&office, "1001", 0).await;
    owner.hang_up().await;
    owner.expect_end().await;
    let id = left[0]["id"].as_str().unwrap();
    let gone = format!("/api/v1/voicemail/1001/messages/{id}/audio");
    assert_eq!(office.api.send(Method::GET, &gone, &Value::Null).await.status().as_u16(), 404);
    let files = std::fs::read_dir(office.dir().join("data/voicemail")).unwrap().count();
    assert_eq!(files, 0, "the file of a deleted message is gone");
}

#[tokio::test]
async fn q_026_a_caller_who_hangs_up_has_left_a_message_too() {
    let office = Office::open().await;
    voicemail(&office, "1001", "").await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    leave(&mut caller, "#1001", 1).await;
    caller.hang_up().await;
    caller.expect_end().await;

    let left = messages(&office, "1001", 1).await;
    assert_tone(&office, "1001", &left[0], 700.0).await;
}

#[tokio::test]
async fn a_wrong_pin_opens_no_mailbox() {
    let office = Office::open().await;
    voicemail(&office, "1001", "").await;
    let mut stranger = office.phone("1000", 0, Value::Null).await;

    stranger.call("*21001").await;
    stranger.expect_state("CONFIRMED").await;
    for _ in 0..3 {
        sleep(Duration::from_millis(600)).await;
        press(&mut stranger, "0000#").await;
        sleep(Duration::from_millis(1_000)).await;
    }
    stranger.expect_end().await;

    assert_eq!(steps(&office, "1000").await, ["voicemail 1001: wrong PIN"]);
}

#[tokio::test]
async fn q_026_a_group_voicemail_is_opened_by_its_members_only() {
    let office = Office::open().await;
    let mailbox = json!({ "pin": "4711", "greeting": "" });
    let group = json!({
        "number": "6700", "name": "sales", "members": ["1001"], "mailbox": mailbox,
    });
    office.api.post("/api/v1/group-voicemails", group).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut member = office.phone("1001", 0, Value::Null).await;

    leave(&mut caller, "6700", 1).await;
    press(&mut caller, "#").await;
    caller.expect_end().await;
    let left = messages(&office, "6700", 1).await;
    assert_tone(&office, "6700", &left[0], 700.0).await;
    caller.call("*26700").await;
    let status = caller.expect_end().await;

    assert_eq!(status, 403);
    member.call("*26700").await;
    member.expect_state("CONFIRMED").await;
    sleep(Duration::from_millis(300)).await;
    press(&mut member, "4711#").await;
    hears(&member, 1, 700.0).await;
    press(&mut member, "*").await;
    member.expect_end().await;
}

#[tokio::test]
async fn a_message_whose_file_was_changed_is_not_played() {
    let office = Office::open().await;
    voicemail(&office, "1001", "").await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    leave(&mut caller, "#1001", 1).await;
    press(&mut caller, "#").await;
    caller.expect_end().await;
    let left = messages(&office, "1001", 1).await;
    let id = left[0]["id"].as_str().unwrap();
    let file = office.dir().join(format!("data/voicemail/{id}.wav"));
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(&file, bytes).unwrap();

    let path = format!("/api/v1/voicemail/1001/messages/{id}/audio");
    let answer = office.api.send(Method::GET, &path, &Value::Null).await;

    assert_eq!(answer.status().as_u16(), 503, "{:?}", answer.text().await);
}

#[tokio::test]
async fn q_026_the_lamp_of_a_mailbox_follows_its_messages() {
    let office = Office::open().await;
    voicemail(&office, "1001", "").await;
    let mut owner = office.phone("1001", 0, json!({ "mwi": true })).await;
    let shows = |event: &Value| event["body"].as_str().unwrap_or_default().to_owned();
    let at_first = shows(&owner.expect("mwi").await);
    assert!(at_first.starts_with("Messages-Waiting: no"), "{at_first}");
    let mut caller = office.phone("1000", 700, Value::Null).await;

    leave(&mut caller, "#1001", 1).await;
    press(&mut caller, "#").await;
    caller.expect_end().await;

    let lit = shows(&owner.expect("mwi").await);
    assert!(lit.starts_with("Messages-Waiting: yes"), "{lit}");
    assert!(lit.contains("Voice-Message: 1/0"), "{lit}");
    let left = messages(&office, "1001", 1).await;
    let id = left[0]["id"].as_str().unwrap();
    let path = format!("/api/v1/voicemail/1001/messages/{id}");
    let answer = office.api.send(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(answer.status(), 204);
    let out = shows(&owner.expect("mwi").await);
    assert!(out.contains("Voice-Message: 0/0"), "{out}");
}
