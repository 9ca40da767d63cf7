//! Which member runs which queue and agent: the table as the journal has it, and the leader's
//! changes of it.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tandem_actors::call::Calls;
use tandem_actors::entity;
use tandem_actors::placement::{LEASE, Locate, Seat};
use tandem_actors::whereabouts::Whereabouts;
use tandem_journal::{Append, Entity, Journal, Record, Timing};
use tandem_kernel::{CallId, Clock};
use tandem_mesh::Mesh;
use tandem_mesh::lease::Patience;
use tandem_mesh::placement::controller::{DEAD, HEARTBEAT, LOOK, next, silence_of_before};
use tandem_mesh::placement::{Address, Change, Known, Members, Watch};
use tandem_wire::WireError;

/// The key of the table's entity.
const TABLE: &str = "table";

/// How long the journal may take for a change; then the leader looks again.
const CHANGED_WITHIN: Duration = Duration::from_secs(2);

/// The table as far as this node has read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Placing(Arc<RwLock<Known>>);

impl Placing {
    /// Takes a record of the table in; gives the change that it made.
    ///
    /// # Errors
    /// When it can not be read.
    pub(crate) fn take(&self, record: &Record) -> Result<Option<Change>, WireError> {
        let change: Change = entity::decode(&record.event)?;
        let is_change = self.0.write().take(record.position.index, record.version, change);
        Ok(is_change.then_some(change))
    }

    /// For the actors.
    pub(crate) fn locate(&self) -> Locate {
        let known = self.0.clone();
        Box::new(move |kind, key| {
            let address = Address { kind: kind.0, key: key.to_owned() };
            let slot = known.read().table().slot(address.shard());
            Seat { member: slot.node, epoch: slot.epoch }
        })
    }

    fn members(&self) -> (Members, u64) {
        let known = self.0.read();
        (known.members(), known.version())
    }

    /// The member that goes on with a call whose own has died.
    pub(crate) fn heir(&self, call: CallId) -> Option<u64> {
        let address = Address { kind: entity::CALL.0, key: call.to_string() };
        self.0.read().table().slot(address.shard()).node
    }

    /// How many shards a member has.
    pub(crate) fn load(&self, node: u64) -> u64 {
        let load = self.0.read().table().loads().get(&node).copied().unwrap_or(0);
        u64::try_from(load).unwrap_or(u64::MAX)
    }
}

/// Keeps the table while this node leads, for its life.
pub(crate) async fn keep(mesh: Mesh, journal: Journal, placing: Placing, clock: Clock) {
    let patience = Patience::new(HEARTBEAT, LEASE, DEAD).expect("the lease ends first");
    let (mut watch, mut of_before, mut unheard_for) = (None, None, None);
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let leads = journal.leads() && journal.contact_age().is_some_and(|age| age < LEASE);
        if !leads {
            watch = None;
            of_before = journal.status().leader.filter(|it| *it != journal.node()).or(of_before);
            unheard_for = journal.contact_age();
            continue;
        }
        let (now, roster) = (clock.now(), mesh.roster().borrow().clone());
        let (known, version) = placing.members();
        let silence = silence_of_before(unheard_for, Timing::default().election_max);
        let before = of_before.take().map(|leader| (leader, silence));
        let members = roster.active().map(|member| member.node);
        let begin = || Watch::begin(patience, members, before, now);
        let watch = watch.get_or_insert_with(begin);
        watch.look(journal.node(), &journal.answers(), now);
        let change = next(&known, &roster, &watch.dead(now), &watch.steady(now));
        if let Some(change) = change {
            propose(&journal, version, change).await;
        }
    }
}

/// Appends a change and waits until it is known here.
async fn propose(journal: &Journal, version: u64, change: Change) {
    let append = Append {
        entity: Entity::new(entity::PLACEMENT, TABLE),
        expected: Some(version),
        epoch: 0,
        op_id: None,
        events: vec![entity::encode(&change)],
    };
    match tokio::time::timeout(CHANGED_WITHIN, journal.append(append)).await {
        Ok(Ok(_)) => tracing::info!(?change, "placement"),
        Ok(Err(error)) => tracing::debug!(?change, %error, "placement stays as it is"),
        Err(_) => tracing::debug!(?change, "placement stays as it is: no answer"),
    }
}

/// A node that ends gives its queues and agents away before its calls end.
pub(crate) async fn give_away(journal: &Journal, placing: &Placing) {
    let (Members { takers, left: _ }, version) = placing.members();
    let own = journal.node();
    if journal.is_shared() && takers.len() > 1 && takers.contains(&own) {
        propose(journal, version, Change::Drain(own)).await;
    }
}

/// How long others may take to go on with the calls of a node that ends.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(10);

/// The level of the members' language since which one says that it is about to leave.
const HANDING_ON: u16 = 3;

/// What a drain has left goes on at other members: they offer the phones their own addresses while
/// this node still carries the audio, and what they say to the phones that only it has a path to.
pub(crate) async fn hand_on(journal: &Journal, placing: &Placing, calls: &Calls, level: u16) {
    if !has_others(journal, placing) || calls.count() == 0 {
        return;
    }
    tracing::info!(calls = calls.count(), "the others go on with the calls");
    let own = journal.node();
    let change = if level < HANDING_ON { Change::Leave(own) } else { Change::HandOn(own) };
    propose(journal, placing.members().1, change).await;
    let _in_time = tokio::time::timeout(TAKEN_OVER_WITHIN, calls.ended()).await;
}

/// A node that ends has left: nobody is to find out by its silence that its phones are not
/// reached through it any more.
pub(crate) async fn leave(journal: &Journal, placing: &Placing) {
    let (Members { takers: _, left }, version) = placing.members();
    let own = journal.node();
    if has_others(journal, placing) && !left.contains(&own) {
        propose(journal, version, Change::Leave(own)).await;
    }
}

/// Whether another member could go on with what this one has.
pub(crate) fn has_others(journal: &Journal, placing: &Placing) -> bool {
    let own = journal.node();
    journal.is_shared() && placing.members().0.takers.iter().any(|member| *member != own)
}

/// Tells the actors when this node's lease ends, and when it begins anew.
pub(crate) async fn watch_lease(placed: Arc<Whereabouts>) {
    let mut looks = tokio::time::interval(LOOK);
    let mut spoke = false;
    loop {
        looks.tick().await;
        let speaks = placed.placement().may_speak();
        if spoke != speaks {
            spoke = speaks;
            tracing::info!(speaks, "this node's lease");
            placed.placement().note_change();
        }
    }
}
