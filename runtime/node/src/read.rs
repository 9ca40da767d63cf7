//! What is read from the journal: all of it before the edges open, then what comes.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tandem_actors::entity;
use tandem_actors::provisioning::Provisioning;
use tandem_actors::records::Records;
use tandem_actors::registrar::Location;
use tandem_actors::voicemail::Voicemail;
use tandem_actors::whereabouts::Whereabouts;
use tandem_journal::{Journal, ReadError, Record};
use tandem_kernel::{Clock, Position};
use tandem_store::{Options, Store};
use tandem_wire::WireError;

/// Records that are read from the journal at once.
const PAGE: usize = 1_000;

/// The wait after the disk failed.
const RETRY: Duration = Duration::from_secs(1);

/// The projections of the journal.
#[derive(Clone)]
pub(crate) struct Read {
    pub(crate) provisioning: Provisioning,
    pub(crate) location: Location,
    pub(crate) records: Records,
    pub(crate) voicemail: Voicemail,
}

impl Read {
    /// Reads the whole journal; gives the last position that was read.
    pub(crate) async fn everything(
        journal: &Journal,
        clock: Clock,
        data_dir: &Path,
    ) -> Result<(Self, Position)> {
        let read = Self {
            provisioning: Provisioning::new(journal.clone(), clock),
            location: Location::new(journal.node()),
            records: Records::new(projections(data_dir)?),
            voicemail: Voicemail::open(journal.clone(), clock, data_dir.join("voicemail"))
                .context("failed to open the messages")?,
        };
        let end = read.pages(journal, Position::START).await?;
        read.records.close_interrupted(journal, clock).await;
        // Who asks as soon as the edges are open finds the records of the calls just closed.
        let end = read.pages(journal, end).await?;
        Ok((read, end))
    }

    /// Takes in what the journal holds after a position; gives the last position.
    async fn pages(&self, journal: &Journal, mut position: Position) -> Result<Position> {
        loop {
            let page = journal.read(position, PAGE).await.context("failed to read the journal")?;
            let Some(last) = page.last() else { return Ok(position) };
            position = last.position;
            for record in &page {
                let unreadable = || format!("the event at {} can not be read", record.position);
                self.take(record).with_context(unreadable)?;
            }
        }
    }

    fn take(&self, record: &Record) -> Result<(), WireError> {
        match record.entity.kind {
            entity::RESOURCE => self.provisioning.replay(record.at, record.version, &record.event),
            entity::REGISTRAR => self.location.replay(&record.event),
            entity::MAILBOX => {
                self.voicemail.follow(&record.entity.key, record.version, &record.event)
            }
            _ => {
                self.records.apply(record);
                Ok(())
            }
        }
    }

    /// Goes on behind `end` for the life of the node. Alone, whoever appends takes in what it
    /// appended, and only the records of calls are made here; in a cluster others append, too.
    pub(crate) fn follow(&self, journal: &Journal, end: Position, placed: Arc<Whereabouts>) {
        let (read, is_shared) = (self.clone(), journal.is_shared());
        let mut subscription = journal.subscribe(end);
        tokio::spawn(async move {
            loop {
                match subscription.next().await {
                    Ok(record) if is_shared => read.take_next(&record, &placed),
                    Ok(record) => read.records.apply(&record),
                    Err(ReadError::Closed) => return,
                    Err(error) => {
                        tracing::error!(%error, "the journal can not be followed");
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
        });
    }

    fn take_next(&self, record: &Record, placed: &Whereabouts) {
        let key = &record.entity.key;
        let taken = match record.entity.kind {
            entity::RESOURCE => self.provisioning.follow(record.at, record.version, &record.event),
            entity::REGISTRAR => self.location.follow(&record.event, placed),
            entity::MAILBOX => self.voicemail.follow(key, record.version, &record.event),
            entity::AGENT => {
                placed.agent_followed(key, record.version);
                Ok(())
            }
            _ => {
                self.records.apply(record);
                Ok(())
            }
        };
        if let Err(error) = taken {
            // A newer build's event: this one goes on without it.
            tracing::error!(position = %record.position, %error, "an event can not be read");
        }
    }
}

/// The store of projections. What is damaged there is thrown away: it is filled again from the
/// journal at every start.
fn projections(data_dir: &Path) -> Result<Store> {
    let dir = data_dir.join("projections");
    match Store::open(&dir, &Options::default()) {
        Ok(store) => Ok(store),
        Err(error) => {
            tracing::warn!(%error, "the projections are made anew");
            fs::remove_dir_all(&dir)?;
            Store::open(&dir, &Options::default()).context("failed to open the projections")
        }
    }
}
