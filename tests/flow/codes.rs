//! Feature codes of appendix B, dialled from a phone, with what is said after each.

use serde_json::{Value, json};
use tandem_tests::sound::Recording;
use tandem_tests::{Office, Phone};

/// Dials a code, waits for its end, and asserts that the prompt of a name was heard.
async fn dial(phone: &mut Phone, call: u32, code: &str, prompt: &str) {
    phone.forget();
    phone.call(code).await;
    phone.expect_end().await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let heard = Recording::read(&phone.recording(call));
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/prompts/en");
    let prompts = ["logged-in", "logged-out", "paused", "resumed", "error"];
    let best = prompts.into_iter().max_by(|one, other| {
        let likeness = |name: &str| {
            let said = Recording::read(std::path::Path::new(&format!("{root}/{name}.wav")));
            likeness(&heard, &said)
        };
        likeness(one).total_cmp(&likeness(other))
    });
    assert_eq!(best, Some(prompt), "{code}: another prompt was heard");
}

/// How far two recordings have the same loudness over time, at the best shift.
fn likeness(heard: &Recording, said: &Recording) -> f64 {
    let levels = |recording: &Recording| -> Vec<f64> {
        let count = (recording.secs() / 0.02) as usize;
        (0..count).map(|at| recording.level(at as f64 * 0.02, at as f64 * 0.02 + 0.02)).collect()
    };
    let (heard, said) = (levels(heard), levels(said));
    let padded: Vec<f64> = std::iter::repeat_n(0.0, said.len())
        .chain(heard.iter().copied())
        .chain(std::iter::repeat_n(0.0, said.len()))
        .collect();
    let norm = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>().sqrt();
    let whole = norm(&heard) * norm(&said);
    let shifts = padded.windows(said.len()).map(|window| {
        window.iter().zip(&said).map(|(one, other)| one * other).sum::<f64>() / whole.max(1.0)
    });
    shifts.fold(0.0, f64::max)
}

async fn membership(office: &Office, queue: &str) -> Value {
    let agents = tandem_tests::api::items(&office.api.get("/api/v1/agents").await);
    let agent = agents.iter().find(|agent| agent["extension"] == "1001").unwrap();
    let memberships = agent["memberships"].as_array().unwrap();
    memberships.iter().find(|it| it["queue"] == queue).unwrap().clone()
}

#[tokio::test]
async fn q_214_q_215_q_216_q_217_each_code_acts_on_who_dials_it_and_is_confirmed() {
    let office = Office::open().await;
    let members = json!([{ "extension": "1001", "membership": "dynamic" }]);
    office.api.patch("/api/v1/queues/6400", json!({ "members": members })).await;
    let other = json!({ "number": "6401", "name": "other", "members": members });
    office.api.post("/api/v1/queues", other).await;
    let mut agent = office.phone("1001", 0, json!({ "codecs": ["PCMU/8000/1"] })).await;
    let logged_in = async |queue: &str| membership(&office, queue).await["logged_in"] == true;
    let reason = async || membership(&office, "6400").await["pause_reason"].clone();

    dial(&mut agent, 1, "*77", "logged-in").await;
    assert!(logged_in("6400").await && logged_in("6401").await);
    dial(&mut agent, 2, "*76401", "logged-out").await;
    assert!(logged_in("6400").await && !logged_in("6401").await);
    dial(&mut agent, 3, "*076400*01", "paused").await;
    assert_eq!(reason().await, "*01");
    // another reason changes it, the same reason resumes.
    dial(&mut agent, 4, "*076400*03", "paused").await;
    assert_eq!(reason().await, "*03");
    dial(&mut agent, 5, "*076400*03", "resumed").await;
    assert_eq!(membership(&office, "6400").await["paused"], false);
    dial(&mut agent, 6, "*077", "logged-out").await;
    assert!(!logged_in("6400").await && !logged_in("6401").await);
    dial(&mut agent, 7, "*78", "logged-in").await;
    assert!(logged_in("6400").await, "the queues of the last log-in");
    dial(&mut agent, 8, "*076499", "error").await;
}

#[tokio::test]
async fn q_210_q_219_codes_are_changed_and_switched_off_and_never_ambiguous() {
    let office = Office::open().await;
    let members = json!([{ "extension": "1001", "membership": "dynamic" }]);
    office.api.patch("/api/v1/queues/6400", json!({ "members": members })).await;
    let mut agent = office.phone("1001", 0, json!({ "codecs": ["PCMU/8000/1"] })).await;

    let codes = json!({ "code_login_all": "*88", "code_logout_all": "" });
    office.api.patch("/api/v1/settings", codes).await;
    dial(&mut agent, 1, "*88", "logged-in").await;
    assert_eq!(membership(&office, "6400").await["logged_in"], true);
    // Without its meaning, *077 is the pause code with the number of a queue that is not there.
    dial(&mut agent, 2, "*077", "error").await;
    assert_eq!(membership(&office, "6400").await["logged_in"], true);
    // Two meanings of one code are refused.
    let mut whole = office.api.get("/api/v1/settings").await;
    whole["code_voicemail"] = json!("*88");
    let refused = office.api.put("/api/v1/settings", &whole).await;
    assert_eq!(refused["errors"][0]["code"], "ambiguous", "{refused}");
}
