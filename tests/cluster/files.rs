//! Uploaded prompts and messages of mailboxes are at every member, and outlive the one that took
//! them.

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::Api;
use tandem_tests::sound::Recording;
use tokio::time::{Duration, Instant, sleep};

use crate::queues::{phone, placed};

/// The bytes at a path, as soon as they are there.
async fn copied(api: &Api, path: &str) -> Vec<u8> {
    let began = Instant::now();
    loop {
        let answer = api.send(Method::GET, path, &Value::Null).await;
        if answer.status().is_success() {
            return answer.bytes().await.unwrap().to_vec();
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{path}: {}", answer.status());
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn q_006_prompts_and_messages_that_a_member_took_are_at_the_others_when_it_dies() {
    let mut three = placed().await;
    let greeting = three.api(0).upload_tone("greeting", 600.0, 1.0).await;
    let voicemail = json!({ "voicemail": {
        "enabled": true, "mailbox": { "pin": "4711", "greeting": greeting },
    } });
    three.api(0).patch("/api/v1/extensions/1002", voicemail).await;
    let mut caller = phone(&three, 0, "1000", 700).await;
    sleep(Duration::from_millis(500)).await;
    caller.call("1002").await;
    caller.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(5)).await;
    caller.hang_up().await;
    caller.expect_end().await;
    let list = "/api/v1/voicemail/1002/messages";
    let has_one = |all: &Value| all["items"].as_array().is_some_and(|all| all.len() == 1);
    let messages = three.api(2).wait_for(list, has_one).await;
    let message = &messages["items"][0];
    let audio = format!("{list}/{}/audio", message["id"].as_str().unwrap());
    for member in 0..3 {
        let heard = copied(&three.api(member), &audio).await;
        assert_eq!(blake3::hash(&heard).to_hex().as_str(), message["checksum"], "{message}");
    }

    three.kill(0).await;

    let heard = Recording::of(&copied(&three.api(1), &audio).await);
    assert!(heard.frames_with(700.0, heard.secs() - 1.5, heard.secs() - 0.5) > 0.9);
    for member in [1, 2] {
        let prompt = copied(&three.api(member), "/api/v1/prompts/greeting/audio").await;
        assert!(Recording::of(&prompt).frames_with(600.0, 0.1, 0.9) > 0.9);
    }
    // The greeting is heard from a member that never got it by the API.
    let mut caller = phone(&three, 1, "1001", 900).await;
    sleep(Duration::from_secs(1)).await;
    caller.call("1002").await;
    caller.expect_state("CONFIRMED").await;
    let file = caller.record("greeting").await;
    sleep(Duration::from_millis(800)).await;
    caller.hang_up().await;
    caller.expect_end().await;
    sleep(Duration::from_millis(300)).await;
    let greeting = Recording::read(&file);
    assert!(greeting.frames_with(600.0, 0.1, 0.5) > 0.8, "the greeting is not heard");

    // What was deleted while a member was away is gone when it is back.
    let id = message["id"].as_str().unwrap();
    let path = format!("{list}/{id}");
    let gone = three.api(1).send(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(gone.status(), 204);
    three.start_again(0).await;
    let file = three.machines[0].dir.path().join(format!("data/voicemail/{id}.wav"));
    let began = Instant::now();
    while file.exists() {
        assert!(began.elapsed() < Duration::from_secs(20), "the deleted message is still there");
        sleep(Duration::from_millis(100)).await;
    }
}
