#![allow(clippy::unwrap_used)]
use super::*;

fn config(from: &str) -> Config {
    Config {
        host: "127.0.0.1".into(),
        port: 1,
        security: Security::None,
        credentials: None,
        from: from.into(),
    }
}

#[test]
fn a_sender_that_is_no_address_is_refused() {
    assert!(matches!(Mailer::new(&config("nobody")), Err(MailError::Address { .. })));
}

#[tokio::test]
async fn a_letter_to_no_address_or_to_a_server_that_is_not_there_is_an_error() {
    let mailer = Mailer::new(&config("Tandem <pbx@example.net>")).unwrap();
    let letter = |to: &str| Letter {
        to: vec![to.into()],
        subject: "s".into(),
        text: "t".into(),
        files: Vec::new(),
    };

    let wrong = mailer.send(letter("a@b\r\nBcc: c@d")).await;
    assert!(matches!(wrong, Err(MailError::Address { .. })), "{wrong:?}");
    assert!(matches!(mailer.send(letter("a@example.net")).await, Err(MailError::Server(_))));
}
