//! kill -9: a message of which the caller was told that it is kept is there afterwards.

use serde_json::Value;
use tandem_tests::api::items;
use tandem_tests::sound::Recording;
use tandem_tests::{Node, Phone};
use tokio::time::{Duration, sleep};

use crate::{hears, press};

/// The beep after which the recording begins.
const BEEP: f64 = 850.0;

#[tokio::test]
async fn a_message_that_was_answered_with_saved_outlives_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let mut node = Node::start(dir.path()).await;
    let api = node.api();
    let saved = api.upload_tone("unused", 600.0, 1.0).await;
    assert_eq!(saved, "custom/unused");
    let voicemail = serde_json::json!({ "voicemail": { "enabled": true } });
    api.patch("/api/v1/extensions/1001", voicemail).await;
    let (sip, password) = (node.sip("udp").to_owned(), node.password("1000").to_owned());
    let options = serde_json::json!({ "tone": 700 });
    let mut caller = Phone::registered(&sip, "1000", &password, dir.path(), options).await;
    caller.call("#1001").await;
    hears(&caller, 1, BEEP).await;
    sleep(Duration::from_secs(3)).await;
    let told = caller.record("told").await;
    press(&mut caller, "#").await;
    // The first sound after the key says that the message is kept.
    for _ in 0..100 {
        sleep(Duration::from_millis(20)).await;
        if told.exists() && speaks(&Recording::read(&told)) {
            break;
        }
    }
    assert!(speaks(&Recording::read(&told)), "nothing was said");

    node.kill().await;
    let node = Node::start(dir.path()).await;
    let api = node.api();

    let left = items(&api.get("/api/v1/voicemail/1001/messages").await);
    assert_eq!(left.len(), 1, "{left:?}");
    let id = left[0]["id"].as_str().unwrap();
    let audio = api.bytes(&format!("/api/v1/voicemail/1001/messages/{id}/audio")).await;
    assert_eq!(blake3::hash(&audio).to_hex().as_str(), left[0]["checksum"]);
    let recording = Recording::of(&audio);
    assert!(recording.frames_with(700.0, 0.5, recording.secs() - 0.5) > 0.95);
    assert_ne!(left[0]["from"], Value::Null);
    let prompts = api.get("/api/v1/prompts").await;
    assert_eq!(prompts["items"][0]["name"], "custom/unused", "an uploaded prompt is there too");
}

fn speaks(recording: &Recording) -> bool {
    let windows = (recording.secs() / 0.1) as usize;
    (0..windows).map(|at| at as f64 * 0.1).any(|from| recording.level(from, from + 0.1) > 300.0)
}
