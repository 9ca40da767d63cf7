//! Where a call can be sent: ring groups, prompts, menus, call flows, voicemail, with real
//! phones.
#![allow(clippy::unwrap_used)]

mod codes;
mod durable;
mod groups;
mod handed_on;
mod mailed;
mod menus;
mod steps;
mod voicemail;

use serde_json::{Value, json};
use tandem_tests::sound::{Recording, profile};
use tandem_tests::{Office, Phone};

/// Waits until a phone has heard a tone of its prompt for a moment, at most 20 s.
async fn hears(phone: &Phone, call: u32, hertz: f64) {
    let fits = |recording: &Recording| heard(recording, hertz);
    let recording = Recording::once(&phone.recording(call), fits).await.expect("any sound");
    assert!(fits(&recording), "{hertz} Hz is not heard{}", profile(&recording));
}

/// Whether a tone rules 200 ms of a recording: nine of ten frames, because a phone's jitter buffer
/// that drops or repeats 10 ms turns the tone's phase for all that comes after.
fn heard(recording: &Recording, hertz: f64) -> bool {
    let rules = |from: f64| recording.share(hertz, from, from + 0.02) > 0.8;
    let windows = (recording.secs() / 0.1) as usize;
    (0..windows).map(|at| at as f64 * 0.1).any(|from| {
        let frames = (0..10).map(|frame| from + f64::from(frame) * 0.02);
        frames.filter(|frame| rules(*frame)).count() >= 9
            && recording.level(from, from + 0.2) > 200.0
    })
}

/// Presses keys as telephone-events.
async fn press(phone: &mut Phone, digits: &str) {
    phone.tell(json!({ "do": "dtmf", "digits": digits })).await;
}

/// The steps of the one record of a caller, as `kind key: detail`.
async fn steps(office: &Office, caller: &str) -> Vec<String> {
    let record = office.api.record(&format!("number={caller}")).await;
    let text = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
    let shown = |step: &Value| {
        format!("{} {}: {}", text(step, "kind"), text(step, "key"), text(step, "detail"))
    };
    record["steps"].as_array().unwrap().iter().map(shown).collect()
}

/// Makes an extension's voicemail.
async fn voicemail(office: &Office, extension: &str, greeting: &str) {
    let mailbox = json!({ "pin": "4711", "greeting": greeting });
    let voicemail = json!({ "voicemail": { "enabled": true, "mailbox": mailbox } });
    office.api.patch(&format!("/api/v1/extensions/{extension}"), voicemail).await;
}
