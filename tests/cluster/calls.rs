//! Calls that outlive the member that had them.

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::Phone;
use tandem_tests::sound::assert_heard;
use tokio::time::{Duration, Instant, sleep};

use crate::Three;
use crate::queues::{STATUS, line, phone, placed, talking, two_wait};

/// Longer than a take-over may take on a busy machine.
const TAKEN_OVER: Duration = Duration::from_secs(15);

/// Waits until a call is at a member that lives; gives it with the member's place.
pub(crate) async fn call_at(three: &Three, members: &[usize]) -> (usize, Value) {
    let began = Instant::now();
    loop {
        for member in members {
            if three.has_call(*member).await {
                let calls = three.api(*member).get("/api/v1/calls").await;
                if let Some(call) = calls["items"].as_array().and_then(|all| all.first()) {
                    return (*member, call.clone());
                }
            }
        }
        assert!(began.elapsed() < TAKEN_OVER, "nobody has taken the call over");
        sleep(Duration::from_millis(50)).await;
    }
}

/// What a phone hears from now on for some seconds.
async fn listen(phones: &mut [&mut Phone]) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for phone in &mut *phones {
        files.push(phone.record("after").await);
    }
    sleep(Duration::from_secs(4)).await;
    files
}

#[tokio::test]
async fn two_who_talk_hear_each_other_again_when_the_member_of_their_call_dies() {
    let mut three = placed().await;
    let (mut caller, mut callee) = talking(&three, [0, 0]).await;
    let (_, before) = call_at(&three, &[0]).await;

    three.kill(0).await;
    let killed = Instant::now();
    let (member, call) = call_at(&three, &[1, 2]).await;
    println!("member {member} has the call after {:?}", killed.elapsed());
    assert_eq!(call["id"], before["id"]);
    assert_eq!(call["answered_at"], before["answered_at"]);
    sleep(Duration::from_secs(1)).await;
    let files = listen(&mut [&mut caller, &mut callee]).await;
    caller.hang_up().await;
    caller.expect_end().await;
    callee.expect_end().await;
    sleep(Duration::from_millis(300)).await;

    assert_heard(&files[0], 1100.0, 3.0);
    assert_heard(&files[1], 700.0, 3.0);
    let record = three.api(member).record("number=1000").await;
    assert_eq!(record["id"], before["id"], "one call, one record: {record}");
    assert_eq!(record["outcome"], "answered", "{record}");
    // The member comes back and has nothing of it.
    three.start_again(0).await;
    three
        .api(0)
        .wait_for("/api/v1/call-records?number=1000", |page| {
            page["items"].as_array().is_some_and(|all| all.len() == 1)
        })
        .await;
}

#[tokio::test]
async fn a_call_is_seen_steered_and_traced_at_every_member() {
    let three = placed().await;
    let (mut caller, mut callee) = talking(&three, [0, 1]).await;
    let (_, here) = call_at(&three, &[0]).await;
    let path = format!("/api/v1/calls/{}", here["id"].as_str().unwrap());

    for member in 1..3 {
        let there = three.api(member);
        assert_eq!(there.get("/api/v1/calls").await["items"], json!([here]));
        assert_eq!(there.get(&path).await, here);
        let trace = there.get(&format!("{path}/trace")).await;
        let text = trace.to_string();
        assert!(text.contains("INVITE sip:1001@") && text.contains("\"media\""), "{text}");
    }
    let far = three.api(2);
    let (elsewhere, end) = (format!("{path}/redirect"), format!("{path}/hangup"));
    let refused = far.send(Method::POST, &elsewhere, &json!({ "to": "6400" })).await;
    assert_eq!(refused.status(), 409);
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["code"], "call-not-waiting", "{problem}");
    let ended = far.send(Method::POST, &end, &json!({})).await;
    assert_eq!(ended.status(), 204);
    caller.expect_end().await;
    callee.expect_end().await;
    far.wait_for("/api/v1/calls", |calls| calls["items"] == json!([])).await;
}

/// A BYE to a member that is dead is lost. Its sender gives up after 32 s, and the call is asked for
/// again after that.
#[tokio::test]
async fn who_hangs_up_while_nobody_hears_is_let_go_when_the_call_is_asked_for_again() {
    let mut three = placed().await;
    let (mut caller, mut callee) = talking(&three, [0, 0]).await;

    three.kill(0).await;
    caller.hang_up().await;
    let (member, _) = call_at(&three, &[1, 2]).await;
    let began = Instant::now();
    while three.api(member).get("/api/v1/calls").await["items"] != json!([]) {
        assert!(began.elapsed() < Duration::from_secs(60), "the call stays up");
        sleep(Duration::from_millis(500)).await;
    }

    callee.expect_end().await;
    let record = three.api(member).record("number=1000").await;
    assert_eq!(record["outcome"], "answered", "{record}");
}

#[tokio::test]
async fn a_caller_keeps_place_and_music_when_the_member_of_the_call_dies() {
    let mut three = placed().await;
    let owner = three.owner_of("6400").await;
    let (home, other) = ((owner + 1) % 3, (owner + 2) % 3);
    let (mut caller, mut second, before) = two_wait(&three, home, other).await;
    let api = three.api(owner);
    sleep(Duration::from_secs(1)).await;

    three.kill(home).await;
    let killed = Instant::now();
    let id = before["waiting"][0]["call"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/calls/{id}");
    let mut found = None;
    while found.is_none() && killed.elapsed() < TAKEN_OVER {
        for member in [owner, other] {
            let answer = three.api(member).send(Method::GET, &path, &Value::Null).await;
            found = found.or_else(|| answer.status().is_success().then_some(member));
        }
    }
    println!("member {found:?} has the caller after {:?}", killed.elapsed());
    assert!(found.is_some(), "nobody has taken the caller over");
    sleep(Duration::from_secs(1)).await;
    let files = listen(&mut [&mut caller]).await;
    let after = api.get(STATUS).await;
    assert_eq!(line(&after), line(&before), "nobody has lost the place");

    let mut agent = phone(&three, other, "1001", 1100).await;
    agent.expect("incoming").await;
    agent.answer().await;
    api.wait_for(STATUS, |status| line(status).len() == 1).await;
    sleep(Duration::from_secs(3)).await;
    caller.hang_up().await;
    caller.expect_end().await;
    second.hang_up().await;
    second.expect_end().await;
    sleep(Duration::from_millis(300)).await;
    assert_heard(&files[0], 440.0, 3.0);
    assert_heard(&agent.recording(1), 700.0, 2.0);
    let record = api.record("number=1000").await;
    assert_eq!(record["queue"]["exit"], "answered", "{record}");
    assert_eq!(json!(record["id"]), json!(id));
}
