//! What is read from the journal: all of it before the edges open, then what comes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use parking_lot::Mutex;
use tandem_actors::audit::Audit;
use tandem_actors::call::event::CallEvent;
use tandem_actors::call::{CallMsg, KeptCalls, adopt};
use tandem_actors::callback::Callbacks;
use tandem_actors::copies::Copies;
use tandem_actors::entity;
use tandem_actors::exchange::Exchange;
use tandem_actors::outbound::Tolls;
use tandem_actors::provisioning::Provisioning;
use tandem_actors::queue::answers::Answers;
use tandem_actors::records::Records;
use tandem_actors::registrar::Location;
use tandem_actors::repeats::Repeats;
use tandem_actors::sessions::Sessions;
use tandem_actors::voicemail::Voicemail;
use tandem_actors::whereabouts::Whereabouts;
use tandem_config::NodeConfig;
use tandem_journal::{AppendError, Journal, ReadError, Record};
use tandem_kernel::{CallId, Clock, Position};
use tandem_mesh::Mesh;
use tandem_mesh::placement::Change;
use tandem_store::{Options, Store};
use tandem_telemetry::metric;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::placement::Placing;
use crate::{levels, library};

/// Records that are read from the journal at once.
const PAGE: usize = 1_000;

/// The wait after the disk failed.
const RETRY: Duration = Duration::from_secs(1);

/// How long a member that was cut off may take to read what became of its calls.
const GIVEN_BACK_BY_THEN: Duration = Duration::from_millis(500);

/// How often records that are too old are looked for.
const FORGETTING: Duration = Duration::from_secs(3_600);

/// The projections of the journal.
#[derive(Clone)]
pub(crate) struct Read {
    pub(crate) provisioning: Provisioning,
    pub(crate) location: Location,
    pub(crate) records: Records,
    pub(crate) audit: Audit,
    pub(crate) sessions: Sessions,
    pub(crate) repeats: Repeats,
    pub(crate) voicemail: Voicemail,
    pub(crate) copies: Copies,
    pub(crate) callbacks: Callbacks,
    pub(crate) tolls: Tolls,
    pub(crate) placing: Placing,
    pub(crate) kept: KeptCalls,
    pub(crate) answers: Arc<Mutex<Answers>>,
    mesh: Option<Mesh>,
    /// The index up to which all is taken in.
    reached: Arc<watch::Sender<u64>>,
    node: u64,
}

impl Read {
    /// Reads the whole journal; gives the last position that was read.
    pub(crate) async fn everything(
        journal: &Journal,
        clock: Clock,
        config: &NodeConfig,
        mesh: Option<&Mesh>,
    ) -> Result<(Self, Position)> {
        let data_dir = &config.node.data_dir;
        let store = projections(data_dir)?;
        let (records, audit) = (Records::new(store.clone()), Audit::new(store));
        // Before the journal is read: what is too old is not written again.
        keep_for(&records, clock, config.records.keep_days);
        let provisioning = Provisioning::new(journal.clone(), clock);
        let read = Self {
            sessions: Sessions::new(provisioning.clone(), journal.clone(), clock),
            repeats: Repeats::new(journal.clone(), clock),
            audit,
            provisioning,
            location: Location::new(journal.node()),
            records,
            voicemail: Voicemail::open(journal.clone(), clock, data_dir.join("voicemail"))
                .context("failed to open the messages")?,
            copies: Copies::new(
                data_dir.join("voicemail"),
                custom_prompts(config),
                journal.is_shared(),
            ),
            callbacks: Callbacks::default(),
            tolls: Tolls::default(),
            placing: Placing::default(),
            kept: KeptCalls::default(),
            answers: Arc::default(),
            mesh: mesh.cloned(),
            reached: Arc::new(watch::Sender::new(0)),
            node: journal.node(),
        };
        let end = read.pages(journal, Position::START).await?;
        if !journal.is_shared() {
            read.records.close_interrupted(journal, clock).await;
        }
        // Who asks as soon as the edges are open finds the records of the calls just closed.
        let end = read.pages(journal, end).await?;
        // A member that takes long to read may have been given its shards meanwhile.
        metric::PLACEMENT_SHARDS.set(read.placing.load(read.node));
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

    fn take(&self, record: &Record) -> Result<()> {
        self.audit.apply(record);
        let (key, event) = (&record.entity.key, &record.event);
        match record.entity.kind {
            entity::RESOURCE => self.provisioning.replay(record.at, record.version, event),
            entity::REGISTRAR => self.location.replay(event),
            entity::MAILBOX => {
                let followed = self.voicemail.follow(key, record.version, event);
                followed.and_then(|()| self.copies.take(record))
            }
            entity::PROMPT => self.copies.take(record),
            entity::SESSION => self.sessions.replay(record.at, key, event),
            entity::REPEAT => self.repeats.replay(record.at, key, event),
            entity::PLACEMENT => self.placing.take(record).map(|change| self.lives(change, None)),
            entity::PICTURE => self.kept.take(record).map(|_| self.count(record)),
            entity::LEVEL => return levels::take(self.mesh.as_ref(), record),
            _ => {
                if let Some(ended) = self.records.apply(record) {
                    self.kept.ended(ended);
                }
                self.callbacks.apply(record);
                self.tolls.replay(record);
                self.count(record);
                Ok(())
            }
        }
        .map_err(Into::into)
    }

    /// Goes on behind `end` for the life of the node. Alone, whoever appends takes in what it
    /// appended, and only what is told of calls and people is made here; in a cluster others
    /// append, too.
    pub(crate) fn follow(&self, journal: &Journal, end: Position, exchange: Arc<Exchange>) {
        let (read, is_shared) = (self.clone(), journal.is_shared());
        let mut subscription = journal.subscribe(end);
        tokio::spawn(async move {
            loop {
                match subscription.next().await {
                    Ok(record) => {
                        read.told(&record, &exchange);
                        if is_shared {
                            read.take_next(&record, &exchange);
                        }
                        read.reached.send_replace(record.position.index);
                    }
                    Err(ReadError::Closed) => return,
                    Err(error) => {
                        tracing::error!(%error, "the journal can not be followed");
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
        });
    }

    fn told(&self, record: &Record, exchange: &Exchange) {
        if let Some(ended) = self.records.apply(record) {
            self.kept.ended(ended);
            exchange.placed.call_ended(ended);
        }
        self.audit.apply(record);
        self.callbacks.apply(record);
        if record.entity.kind != entity::PICTURE {
            self.count(record);
        }
    }

    /// Who is alone loses no queue without its calls.
    fn count(&self, record: &Record) {
        let (key, event) = (&record.entity.key, &record.event);
        match record.entity.kind {
            _ if self.mesh.is_none() => {}
            entity::CALL => {
                if let (Ok(call), Ok(CallEvent::Ended { talk_us, .. })) =
                    (key.parse(), entity::decode(event))
                {
                    self.answers.lock().ended(call, Duration::from_micros(talk_us));
                }
            }
            entity::PICTURE => {
                let talk = key.parse().ok().and_then(|call| self.kept.agent_talk(call));
                if let Some((since, queue, talk)) = talk {
                    self.answers.lock().talks(since, queue, talk);
                }
            }
            entity::QUEUE => {
                if let Ok(event) = entity::decode(event) {
                    self.answers.lock().queue_has(key, &event);
                }
            }
            _ => {}
        }
    }

    fn take_next(&self, record: &Record, exchange: &Arc<Exchange>) {
        let placed = &exchange.placed;
        let (key, event) = (&record.entity.key, &record.event);
        let taken = match record.entity.kind {
            entity::RESOURCE => self.provisioning.follow(record.at, record.version, event),
            entity::REGISTRAR => self.location.follow(event, placed),
            entity::MAILBOX => {
                let followed = self.voicemail.follow(key, record.version, event);
                followed.and_then(|()| self.copies.take(record))
            }
            entity::PROMPT => self.copies.take(record),
            entity::SESSION => self.sessions.replay(record.at, key, event),
            entity::REPEAT => self.repeats.replay(record.at, key, event),
            entity::PLACEMENT => {
                self.placing.take(record).map(|change| self.moved(change, exchange))
            }
            entity::PICTURE => self.kept.take(record).map(|taken_over| {
                self.count(record);
                if let Some((call, by)) = taken_over
                    && by != self.node
                    && let Some(ours) = exchange.calls.find(call)
                {
                    // It may have been given back, which is read next.
                    drop(ours.send_after(GIVEN_BACK_BY_THEN, || CallMsg::TakenOver));
                }
            }),
            // What our own calls spend was counted when they spent it.
            entity::CALL if !key.parse::<CallId>().is_ok_and(|it| it.is_from(self.node)) => {
                self.tolls.replay(record);
                Ok(())
            }
            entity::AGENT => {
                placed.agent_followed(key, record.version);
                Ok(())
            }
            entity::LEVEL => return self.settled(record),
            _ => Ok(()),
        };
        if let Err(error) = taken {
            // A newer build's event: this one goes on without it.
            tracing::error!(position = %record.position, %error, "an event can not be read");
        }
    }

    fn settled(&self, record: &Record) {
        if let Err(error) = levels::take(self.mesh.as_ref(), record) {
            tracing::error!(position = %record.position, %error, "the level of the cluster");
        }
    }

    /// The table has changed.
    fn moved(&self, change: Option<Change>, exchange: &Arc<Exchange>) {
        let placed = &exchange.placed;
        self.lives(change, Some(placed));
        if let Some(Change::Leave(member)) = change {
            placed.member_left(member);
        }
        if let Some(member) = change.and_then(Change::bereft) {
            let (kept, placing, own) = (self.kept.clone(), self.placing.clone(), self.node);
            let is_ours = move |call| kept.home(call) == member && placing.heir(call) == Some(own);
            tokio::spawn(adopt(exchange.clone(), self.records.clone(), is_ours));
        }
        metric::PLACEMENT_SHARDS.set(self.placing.load(self.node));
        placed.placement().note_change();
    }

    /// A member's phones are reached while it lives.
    fn lives(&self, change: Option<Change>, placed: Option<&Whereabouts>) {
        match change {
            Some(Change::Leave(member)) => self.location.member_left(member, placed),
            Some(Change::Join(member)) => self.location.member_back(member, placed),
            // One that is about to leave still puts what others say to its phones on their way.
            Some(Change::Drain(_) | Change::HandOn(_)) | None => {}
        }
    }

    /// Goes on with the calls that this member had before it was started again, those that
    /// nobody has taken over.
    pub(crate) async fn go_on(self, exchange: Arc<Exchange>) {
        let begun = loop {
            match tandem_actors::call::begin(&exchange.journal).await {
                Ok(position) => break position,
                Err(AppendError::Closed) => return,
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        };
        let mut reached = self.reached.subscribe();
        if reached.wait_for(|reached| *reached >= begun.index).await.is_err() {
            return;
        }
        let (kept, own) = (self.kept.clone(), self.node);
        // Calls of since it was started are its own as well, and live.
        let live: BTreeSet<CallId> = exchange.calls.all().into_iter().map(|(id, _)| id).collect();
        let is_ours = move |call| kept.home(call) == own && !live.contains(&call);
        let placed = exchange.placed.clone();
        adopt(exchange, self.records.clone(), is_ours).await;
        placed.gone_on();
    }
}

/// The folder of uploaded prompts.
fn custom_prompts(config: &NodeConfig) -> PathBuf {
    library::dir(config).join(tandem_actors::prompts::FOLDER)
}

/// Forgets the records of calls that ended so many days ago, now and every hour; 0: none.
fn keep_for(records: &Records, clock: Clock, days: u32) {
    if days == 0 {
        return;
    }
    let kept = Duration::from_secs(u64::from(days) * 86_400);
    let records = records.clone();
    let forget = move || match records.forget_before(clock.now() - kept) {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, days, "old call records forgotten"),
        Err(error) => tracing::error!(%error, "old call records are not forgotten"),
    };
    forget();
    tandem_kernel::spawn("record retention", async move {
        let mut hours = tokio::time::interval_at(Instant::now() + FORGETTING, FORGETTING);
        loop {
            hours.tick().await;
            let forget = forget.clone();
            // The table is on disk: not on a thread that serves others.
            let _ended = tokio::task::spawn_blocking(forget).await;
        }
    });
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
