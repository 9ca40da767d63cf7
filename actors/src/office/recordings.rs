//! The office's doors to what was recorded: messages of mailboxes, uploaded prompts.

use serde_json::Value;
use tandem_config::Kind;

use super::{Office, Principal, Refusal};
use crate::audit;
use crate::copies::{self, PromptEvent};
use crate::flow::MessageChange;
use crate::prompts::{FOLDER, Prompt, Prompts};
use crate::voicemail::Message;

impl Office {
    /// The messages of a mailbox, the oldest first.
    ///
    /// # Errors
    /// `Unavailable` where the telephony does not run.
    pub fn messages(&self, mailbox: &str) -> Result<Vec<Message>, Refusal> {
        Ok(self.exchange()?.voicemail.messages(mailbox))
    }

    /// The audio of a message.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable` when the file is gone or damaged.
    pub async fn message_audio(&self, mailbox: &str, id: &str) -> Result<Vec<u8>, Refusal> {
        self.exchange()?.voicemail.audio(mailbox, id).await
    }

    /// Marks a message as heard or throws it away.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn change_message(
        &self,
        by: &Principal,
        mailbox: &str,
        id: &str,
        change: MessageChange,
    ) -> Result<(), Refusal> {
        self.exchange()?.voicemail.change(mailbox, id, change, &by.name).await
    }

    /// The uploaded prompts.
    ///
    /// # Errors
    /// `Unavailable` where the telephony does not run, or the disk fails.
    pub async fn prompts(&self) -> Result<Vec<Prompt>, Refusal> {
        self.exchange()?.prompts.all().await
    }

    /// The audio of an uploaded prompt.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn prompt_audio(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        named(name)?;
        self.exchange()?.prompts.audio(name).await
    }

    /// Writes a prompt, anew or again.
    ///
    /// # Errors
    /// `Invalid` when it is no WAV file that can be played, `Unavailable`.
    pub async fn put_prompt(
        &self,
        by: &Principal,
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<Prompt, Refusal> {
        named(name)?;
        let exchange = self.exchange()?;
        let written = exchange.prompts.put(name, bytes).await?;
        let fact = copies::written(exchange.clock.now(), &written);
        copies::note(&self.parts.journal, name, &fact).await?;
        tracing::info!(by = %by.name, prompt = %written.name, "prompt written");
        self.note_prompt(by, "written", name).await;
        Ok(written)
    }

    /// Deletes a prompt that nothing refers to.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` with the list of users, `Unavailable`.
    pub async fn remove_prompt(&self, by: &Principal, name: &str) -> Result<(), Refusal> {
        named(name)?;
        let exchange = self.exchange()?;
        let users = self.users_of_prompt(&format!("{FOLDER}/{name}"));
        if !users.is_empty() {
            let detail = format!("prompt {FOLDER}/{name} is used by {}", users.join(", "));
            return Err(Refusal::Conflict { code: "in-use", detail });
        }
        exchange.prompts.remove(name).await?;
        let fact = PromptEvent::Removed { at: exchange.clock.now() };
        copies::note(&self.parts.journal, name, &fact).await?;
        tracing::info!(by = %by.name, prompt = %name, "prompt removed");
        self.note_prompt(by, "removed", name).await;
        Ok(())
    }

    /// The file is as it is now, whether the note is taken or not.
    async fn note_prompt(&self, by: &Principal, action: &str, name: &str) {
        let noted = audit::note(&self.parts.journal, by, action, "prompt", name);
        if let Err(error) = noted.await {
            tracing::error!(by = %by.name, prompt = %name, %error, "not in the audit log");
        }
    }

    /// Who plays a prompt, as `kind key`: whatever holds its name in any field.
    fn users_of_prompt(&self, name: &str) -> Vec<String> {
        let directory = self.provisioning().directory();
        let stored = Kind::ALL.into_iter().flat_map(|kind| directory.all(kind));
        let uses = stored.filter(|stored| {
            serde_json::to_value(&stored.resource).is_ok_and(|value| holds(&value, name))
        });
        let shown = |kind: Kind, key: &str| format!("{} {key}", kind.as_str());
        uses.map(|stored| shown(stored.resource.kind(), stored.resource.key())).collect()
    }
}

fn named(name: &str) -> Result<(), Refusal> {
    if Prompts::is_name(name) {
        return Ok(());
    }
    let key = name.chars().take(64).collect();
    Err(Refusal::NotFound { kind: "prompt", key })
}

fn holds(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Array(items) => items.iter().any(|item| holds(item, wanted)),
        Value::Object(fields) => fields.values().any(|field| holds(field, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
