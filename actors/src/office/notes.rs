//! The office's door to notes on calls.

use tandem_journal::Append;
use tandem_kernel::CallId;

use super::{CallRecord, Office, Principal, Refusal};
use crate::entity;
use crate::records::{LONGEST_TEXT, MOST_TAGS, Note, NoteEvent, Writings};

impl Office {
    /// The record of a call that is over.
    pub async fn call_record(&self, call: CallId) -> Option<CallRecord> {
        let records = self.parts.records.clone()?;
        // The table is read from disk: not on a thread that serves others.
        tokio::task::spawn_blocking(move || records.of(call)).await.ok().flatten()
    }

    /// Whether an extension has, or had, a part in a call that has not ended.
    #[must_use]
    pub fn had_part(&self, call: CallId, extension: &str) -> bool {
        self.parts.records.as_ref().is_some_and(|records| records.had_part(call, extension))
    }

    /// The notes of some calls, each with all its writings that are kept, the newest last.
    pub async fn notes(&self, calls: Vec<CallId>) -> Vec<Writings> {
        let Some(records) = self.parts.records.clone() else {
            return calls.iter().map(|_| Writings::new()).collect();
        };
        let read = move || calls.iter().map(|call| records.note(*call)).collect();
        tokio::task::spawn_blocking(read).await.unwrap_or_default()
    }

    /// Writes the note of a call; answered after the commit. The last who writes wins.
    ///
    /// # Errors
    /// `Invalid` for a text that is too long or a tag that is not in the settings,
    /// `Unavailable` when the journal does not take it.
    pub async fn write_note(
        &self,
        by: &Principal,
        call: CallId,
        text: String,
        tags: Vec<String>,
    ) -> Result<Note, Refusal> {
        let Some(records) = self.parts.records.clone() else {
            return Err(Refusal::Unavailable { detail: "there are no call records here".into() });
        };
        self.check_note(&text, &tags)?;
        let at = self.exchange()?.clock.now();
        let event = NoteEvent::Written { at, by: by.name.clone(), text, tags };
        let append = Append {
            entity: entity::note(call),
            expected: None,
            epoch: 0,
            op_id: None,
            events: vec![entity::encode(&event)],
        };
        let unavailable = |detail: String| Refusal::Unavailable { detail };
        let appended = self.parts.journal.append(append).await;
        let revision = appended.map_err(|error| unavailable(error.to_string()))?.version;
        let NoteEvent::Written { at, by, text, tags } = event.clone();
        // Who asks next finds it: the journal tells of it a little later.
        records.take_note(call, revision, event);
        Ok(Note { revision, at, by, text, tags })
    }

    fn check_note(&self, text: &str, tags: &[String]) -> Result<(), Refusal> {
        let is_plain = !text.chars().any(|c| c.is_control() && c != '\n');
        if !is_plain || text.chars().count() > LONGEST_TEXT {
            let detail = "at most 500 characters";
            return Err(Refusal::field("/text", "bad-text", detail));
        }
        if tags.len() > MOST_TAGS {
            return Err(Refusal::field("/tags", "too-many", "at most 20 tags"));
        }
        let directory = self.parts.provisioning.directory();
        let known = &directory.settings().call_tags;
        match tags.iter().position(|tag| !known.contains_key(tag)) {
            None => Ok(()),
            Some(index) => {
                let detail = "no such tag in the settings";
                Err(Refusal::field(&format!("/tags/{index}"), "unknown-tag", detail))
            }
        }
    }
}
