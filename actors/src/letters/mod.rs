//! Letters about what happens in queues: to agents whom the system has paused, and
//! to the managers of a queue. Each is sent until the server has taken it, over restarts
//! too, for a day. How far that has come is kept beside the records.
//!
//! | Concern                              | Owner           |
//! |--------------------------------------|-----------------|
//! | What managers are told               | `queue` (pure)  |
//! | In which words                       | `words` (pure)  |
//! | Sending, and going on after a restart| this module     |

mod queue;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

use tandem_config::resource::letter::{LetterKind, LetterValues};
use tandem_journal::{Journal, Record};
use tandem_kernel::{Clock, Timestamp};

use self::queue::{Callers, News};
use crate::agent::AgentEvent;
use crate::entity;
use crate::mail::{Letter, MailError, Mailer};
use crate::provisioning::Provisioning;
use crate::queue::QueueEvent;
use crate::records::Records;

/// What letters call us.
const SYSTEM_NAME: &str = "Tandem";
/// The wait after a failure; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// A letter that could not be sent for so long is not sent any more.
const GIVE_UP: Duration = Duration::from_secs(24 * 3_600);
/// Journal records without a letter after which the place is kept.
const KEEP_EVERY: u64 = 1_000;

/// What the letters are written from and sent by.
pub struct Letters {
    /// The journal.
    pub journal: Journal,
    /// Where the place in the journal is kept.
    pub records: Records,
    /// Names and addresses.
    pub provisioning: Provisioning,
    /// The way out.
    pub mailer: Mailer,
    /// The clock.
    pub clock: Clock,
}

impl Letters {
    /// Sends letters for the life of the node; the first time from now on.
    pub async fn run(self) {
        let mut kept = self.records.letters_until().unwrap_or_else(|| self.journal.head());
        self.records.keep_letters_until(kept);
        let mut records = self.journal.subscribe(kept);
        let mut callers = Callers::default();
        while let Ok(record) = records.next().await {
            let letter = self.letter(&record, &mut callers);
            let has_letter = letter.is_some();
            // In a cluster one member sends it.
            if let Some((at, letter)) = letter.filter(|_| self.journal.leads()) {
                self.deliver(at, letter).await;
            }
            if has_letter || record.position.index - kept.index >= KEEP_EVERY {
                kept = record.position;
                self.records.keep_letters_until(kept);
            }
        }
    }

    /// The letter that an event asks for, and when it happened.
    fn letter(&self, record: &Record, callers: &mut Callers) -> Option<(Timestamp, Letter)> {
        match record.entity.kind {
            entity::AGENT => self.to_agent(record),
            entity::QUEUE => self.to_managers(record, callers),
            _ => None,
        }
    }

    /// what the managers of a queue want to be told.
    fn to_managers(&self, record: &Record, callers: &mut Callers) -> Option<(Timestamp, Letter)> {
        let event = entity::decode::<QueueEvent>(&record.event).ok()?;
        let number = entity::queue_number(&record.entity.key);
        let news = News::of(&event);
        let caller = callers.follow(number, &event);
        let directory = self.provisioning.directory();
        let queue = directory.queue(number)?;
        let news = news.filter(|news| news.is_wanted(queue.notifications))?;
        let addresses = queue.managers.iter().filter_map(|manager| {
            let address = directory.extension(manager).map(|it| it.email.clone());
            let address = address.filter(|address| !address.is_empty());
            if address.is_none() {
                // who has no address is passed over.
                tracing::info!(queue = %number, "a manager of a queue has no e-mail address");
            }
            address
        });
        let to: Vec<String> = addresses.collect();
        if to.is_empty() {
            return None;
        }
        let times = &queue.time_condition;
        let profile = directory.time_profile(&times.time_profile).filter(|_| times.enabled);
        let when = queue::moment(event.at(), profile.map(|profile| profile.zone.as_str()));
        let values = news.values(queue, &caller, &when);
        let (subject, text) = words::of(directory.settings(), news.kind(), Some(queue), &values);
        Some((event.at(), Letter { to, subject, text, files: Vec::new() }))
    }

    fn to_agent(&self, record: &Record) -> Option<(Timestamp, Letter)> {
        let event = entity::decode::<AgentEvent>(&record.event).ok()?;
        let AgentEvent::AutoPaused { at, queue, missed } = event else { return None };
        let agent = &record.entity.key;
        let directory = self.provisioning.directory();
        let extension = directory.extension(agent)?;
        if extension.email.is_empty() {
            // who has no address is passed over.
            tracing::info!(%queue, "a paused agent has no e-mail address");
            return None;
        }
        let of = directory.queue(&queue);
        let values = LetterValues {
            queue_name: of.map(|it| it.name.clone()).unwrap_or_default(),
            queue_number: queue.clone(),
            time: at.rfc3339(),
            agent_name: extension.name.clone(),
            agent_extension: agent.clone(),
            missed_count: u64::try_from(missed.len()).unwrap_or(u64::MAX),
            missed_calls: missed.iter().map(ToString::to_string).collect(),
            system_name: SYSTEM_NAME.to_owned(),
            ..LetterValues::default()
        };
        let kind = LetterKind::AgentAutoPaused;
        let (subject, text) = words::of(directory.settings(), kind, of, &values);
        let to = vec![extension.email.clone()];
        Some((at, Letter { to, subject, text, files: Vec::new() }))
    }

    /// Sends a letter; a refusal for good is not argued with.
    async fn deliver(&self, at: Timestamp, letter: Letter) {
        let mut wait = FIRST_WAIT;
        while self.clock.now().since(at) < GIVE_UP {
            let Err(error) = self.mailer.send(letter.clone()).await else { return };
            let why = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, why, "a letter was not sent");
            let for_good = match &error {
                MailError::Server(error) => error.is_permanent(),
                MailError::Address { .. } | MailError::Letter(_) | MailError::MediaType(_) => true,
            };
            if for_good {
                return;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}
