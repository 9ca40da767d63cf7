//! The music of a queue: while its callers wait, and while they are held.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::sound::Recording;
use tandem_tests::{Office, Phone};
use tokio::time::sleep;

use crate::{members, set};

const AGENT: u32 = 1_100;
/// The queue's hold music.
const HOLD: f64 = 600.0;
/// The queue's waiting audio.
const WAITING: f64 = 1_500.0;

/// Records what the caller hears for a second, a moment from now.
async fn hears(caller: &mut Phone, name: &str) -> PathBuf {
    sleep(Duration::from_millis(300)).await;
    let file = caller.record(name).await;
    sleep(Duration::from_millis(1_000)).await;
    file
}

/// How much of that is a tone.
fn share(file: &Path, hertz: f64) -> f64 {
    Recording::read(file).frames_with(hertz, 0.1, 0.9)
}

fn assert_tone(file: &Path, hertz: f64, what: &str) {
    let share = share(file, hertz);
    assert!(share > 0.9, "{what}: {hertz} Hz is in {share:.2} of the frames");
}

async fn end(caller: &mut Phone) {
    caller.hang_up().await;
    caller.expect_end().await;
    sleep(Duration::from_millis(200)).await;
}

#[tokio::test]
async fn q_102_q_103_the_hold_music_of_a_queue_is_heard_on_hold_and_by_who_waits_without_other() {
    let office = Office::open().await;
    let hold = office.api.upload_tone("our-hold", HOLD, 0.8).await;
    let audio = office.api.upload_tone("our-waiting", WAITING, 0.8).await;
    let prompts = json!({ "hold_music": hold });
    set(&office, json!({ "members": members("static", &["1001"]), "prompts": prompts })).await;
    let mut agent = office.phone("1001", AGENT, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    caller.call("6400").await;
    agent.expect("incoming").await;
    let alone = hears(&mut caller, "alone").await;
    end(&mut caller).await;
    agent.expect_end().await;
    agent.forget();

    set(&office, json!({ "prompts": { "waiting_audio": audio } })).await;
    caller.call("6400").await;
    agent.expect("incoming").await;
    let waiting = hears(&mut caller, "waiting").await;
    agent.answer().await;
    agent.expect_state("CONFIRMED").await;
    agent.tell(json!({ "do": "hold" })).await;
    agent.expect_where("media", |event| event["status"] == "local_hold").await;
    let held = hears(&mut caller, "held").await;
    agent.forget();
    agent.tell(json!({ "do": "resume" })).await;
    agent.expect_where("media", |event| event["status"] == "active").await;
    let resumed = hears(&mut caller, "resumed").await;
    end(&mut caller).await;

    assert_tone(&alone, HOLD, "waiting without waiting audio");
    assert_tone(&waiting, WAITING, "waiting with waiting audio");
    assert_tone(&held, HOLD, "held");
    assert!(share(&held, f64::from(AGENT)) < 0.1, "the holder is heard");
    assert_tone(&resumed, f64::from(AGENT), "taken back");
}
