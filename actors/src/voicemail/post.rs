//! Messages by e-mail: each is sent to the addresses of its mailbox until the server has taken
//! it, over restarts too, for a day.

use std::time::Duration;

use super::{Message, Voicemail};
use crate::mail::{File, Letter, Mailer};
use crate::provisioning::Provisioning;

/// How often is looked without a change: a member that was to send a message may have died.
const IDLE: Duration = Duration::from_secs(60);

/// The wait after a failure; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// A message that could not be sent for so long is not sent any more.
const GIVE_UP: Duration = Duration::from_secs(24 * 3_600);

/// Sends what is left in mailboxes, for the life of the node.
pub async fn run(voicemail: Voicemail, provisioning: Provisioning, mailer: Mailer) {
    let mut changes = voicemail.watch();
    let mut wait = None;
    loop {
        wait = match send_due(&voicemail, &provisioning, &mailer).await {
            true => None,
            false => Some(wait.map_or(FIRST_WAIT, |wait: Duration| (wait * 2).min(LONGEST_WAIT))),
        };
        let change = tokio::time::timeout(wait.unwrap_or(IDLE), changes.recv()).await;
        if matches!(change, Ok(Err(tokio::sync::broadcast::error::RecvError::Closed))) {
            return;
        }
    }
}

/// Sends all messages that are due; false when one was not taken.
async fn send_due(voicemail: &Voicemail, provisioning: &Provisioning, mailer: &Mailer) -> bool {
    let mut all_sent = true;
    for (mailbox, message) in voicemail.unmailed() {
        let directory = provisioning.directory();
        let Some(options) = directory.mailbox(&mailbox) else { continue };
        let late = voicemail.inner.clock.now().since(message.at) > GIVE_UP;
        if options.email.is_empty() || late {
            continue;
        }
        let Ok(audio) = voicemail.audio(&mailbox, &message.id).await else { continue };
        match mailer.send(letter(&mailbox, &message, options.email.clone(), audio)).await {
            Ok(()) => voicemail.mailed(&mailbox, &message.id).await,
            Err(error) => {
                let why = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%mailbox, %error, why, "a message was not sent by e-mail");
                all_sent = false;
            }
        }
    }
    all_sent
}

fn letter(mailbox: &str, message: &Message, to: Vec<String>, audio: Vec<u8>) -> Letter {
    let secs = message.length_ms.div_ceil(1_000);
    let text = format!(
        "A message for mailbox {mailbox}.\n\nFrom: {}\nWhen: {}\nLength: {:02}:{:02}\n",
        message.from,
        message.at.rfc3339(),
        secs / 60,
        secs % 60
    );
    let name = format!("message-{mailbox}-{}.wav", message.id);
    Letter {
        to,
        subject: format!("Voicemail for {mailbox} from {}", message.from),
        text,
        files: vec![File { name, media_type: "audio/wav", bytes: audio }],
    }
}
