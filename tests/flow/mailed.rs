//! Messages by e-mail, taken by a real SMTP server.

use base64::Engine;
use serde_json::{Value, json};
use tandem_tests::sound::Recording;
use tandem_tests::{Node, Office, Smtp};

use crate::press;
use crate::voicemail::{leave, messages};

async fn with_mail(office: &Office) {
    let mailbox = json!({ "email": ["chen@example.net"] });
    let voicemail = json!({ "voicemail": { "enabled": true, "mailbox": mailbox } });
    office.api.patch("/api/v1/extensions/1001", voicemail).await;
}

/// The file that goes with a letter.
fn attached(letter: &str) -> Vec<u8> {
    let part = letter.split("Content-Type: audio/wav").nth(1).expect("a WAV file goes with it");
    let body = part.split("\r\n\r\n").nth(1).unwrap();
    let encoded: String = body.lines().take_while(|line| !line.starts_with("--")).collect();
    base64::engine::general_purpose::STANDARD.decode(encoded).unwrap()
}

#[tokio::test]
async fn a_message_goes_out_with_its_file_once_the_server_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(folder.path(), 1).await;
    let port = format!("mail.port={}", smtp.port);
    let set = ["mail.host=127.0.0.1", &port, "mail.security=none"];
    let office = Office::open_with(&set).await;
    with_mail(&office).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    leave(&mut caller, "#1001", 1).await;
    press(&mut caller, "#").await;
    caller.expect_end().await;
    // The first attempt is refused.
    let letter = smtp.letter(1).await;

    assert!(letter.contains("X-Envelope-To: chen@example.net"), "{letter}");
    assert!(letter.contains("Subject: Voicemail for 1001 from 1000"), "{letter}");
    let left = messages(&office, "1001", 1).await;
    let audio = attached(&letter);
    assert_eq!(blake3::hash(&audio).to_hex().as_str(), left[0]["checksum"]);
    let recording = Recording::of(&audio);
    assert!(recording.frames_with(700.0, 0.5, recording.secs() - 0.5) > 0.95);
}

#[tokio::test]
async fn a_message_that_could_not_be_sent_goes_out_after_a_restart_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let office = Office::open_with(&["mail.host=127.0.0.1", "mail.port=1"]).await;
    with_mail(&office).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    leave(&mut caller, "#1001", 1).await;
    press(&mut caller, "#").await;
    caller.expect_end().await;
    let mut office = office;
    messages(&office, "1001", 1).await;

    office.node.kill().await;
    let smtp = Smtp::start(folder.path(), 0).await;
    let port = format!("mail.port={}", smtp.port);
    let set = ["mail.host=127.0.0.1", &port, "mail.security=none"];
    let mut node = Node::start_with(office.dir(), &set).await;
    smtp.letter(1).await;
    node.stop().await;
    let mut again = Node::start_with(office.dir(), &set).await;
    again.stop().await;

    assert_eq!(smtp.count(), 1);
}
