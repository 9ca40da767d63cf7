//! The office's door to the presence status of extensions.

use tandem_journal::Append;

use super::{Office, Principal, Refusal};
use crate::entity;
use crate::records::Records;
use crate::records::status::{Action, Actions, Presence, PresenceEvent, Status};

impl Office {
    /// The presence of an extension.
    ///
    /// # Errors
    /// `NotFound` when there is no such extension, `Unavailable` without records.
    pub async fn presence(&self, extension: &str) -> Result<Presence, Refusal> {
        let records = self.presence_records(extension)?;
        let extension = extension.to_owned();
        // The table is read from disk: not on a thread that serves others.
        let read = tokio::task::spawn_blocking(move || records.presence(&extension));
        read.await.map_err(|error| Refusal::Unavailable { detail: error.to_string() })
    }

    /// Sets the status of an extension; the agent follows as the user has it. Answered
    /// after both are committed.
    ///
    /// # Errors
    /// `NotFound` when there is no such extension, `Unavailable` when the journal does not take
    /// it or the agent does not answer.
    pub async fn set_presence(
        &self,
        by: &Principal,
        extension: &str,
        status: Status,
    ) -> Result<Presence, Refusal> {
        let before = self.presence(extension).await?;
        let at = self.exchange()?.clock.now();
        if status != before.status || before.since.is_none() {
            let event = PresenceEvent::StatusSet { at, by: by.name.clone(), status };
            self.append_presence(extension, event).await?;
        }
        if let Some(command) = before.on_change(status) {
            match self.exchange()?.placed.by_presence(extension, command).await {
                // An agent of no queue, or one that can not: the status stands all the same.
                Ok(()) | Err(Refusal::Conflict { .. } | Refusal::NotFound { .. }) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        self.presence(extension).await
    }

    /// Sets what a change of status does to the agent.
    ///
    /// # Errors
    /// `Invalid` for a pause reason that is not in the settings; else as for the status.
    pub async fn set_presence_actions(
        &self,
        by: &Principal,
        extension: &str,
        actions: Actions,
    ) -> Result<Presence, Refusal> {
        let directory = self.parts.provisioning.directory();
        let known = &directory.settings().pause_reasons;
        for action in actions.values() {
            if let Action::Pause(Some(reason)) = action
                && !known.contains_key(reason)
            {
                let detail = "no such pause reason in the settings";
                return Err(Refusal::field("/actions", "unknown-reason", detail));
            }
        }
        self.presence_records(extension)?;
        let at = self.exchange()?.clock.now();
        let event = PresenceEvent::ActionsSet { at, by: by.name.clone(), actions };
        self.append_presence(extension, event).await?;
        self.presence(extension).await
    }

    fn presence_records(&self, extension: &str) -> Result<Records, Refusal> {
        if self.parts.provisioning.directory().extension(extension).is_none() {
            return Err(Refusal::NotFound { kind: "extension", key: extension.to_owned() });
        }
        let detail = "there are no records here";
        self.parts.records.clone().ok_or_else(|| Refusal::Unavailable { detail: detail.into() })
    }

    async fn append_presence(&self, extension: &str, event: PresenceEvent) -> Result<(), Refusal> {
        let records = self.presence_records(extension)?;
        let append = Append {
            entity: entity::status(extension),
            expected: None,
            epoch: 0,
            op_id: None,
            events: vec![entity::encode(&event)],
        };
        let unavailable = |detail: String| Refusal::Unavailable { detail };
        let appended = self.parts.journal.append(append).await;
        let version = appended.map_err(|error| unavailable(error.to_string()))?.version;
        // Who asks next finds it: the journal tells of it a little later.
        records.take_presence(extension, version, event);
        Ok(())
    }
}
