//! Which level of the members' language all of them speak is a fact of the journal: what is
//! written after it may be of that level, and a build that does not read it is let in no more.

use std::time::Duration;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use tandem_actors::entity;
use tandem_journal::{Append, Entity, Journal, Record};
use tandem_mesh::{Mesh, level};
use tokio::time::timeout;

/// The key of the entity.
const KEY: &str = "level";

/// Between two looks of the leader. Nothing waits for it: a new level brings new features.
const LOOK: Duration = Duration::from_secs(1);

/// How long the journal may take; then the leader looks again.
const WRITTEN_WITHIN: Duration = Duration::from_secs(2);

/// All members speak this level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settled {
    level: u16,
}

/// Takes a record in; a node that is alone in a journal of its own has no mesh.
///
/// # Errors
/// When this build does not speak what the others have settled on, or it can not be kept.
pub(crate) fn take(mesh: Option<&Mesh>, record: &Record) -> Result<()> {
    let Settled { level } = entity::decode(&record.event)?;
    if level > level::NEWEST {
        bail!("the cluster speaks level {level}, this build {}: upgrade it", level::NEWEST);
    }
    if let Some(mesh) = mesh {
        mesh.settle(level)?;
    }
    Ok(())
}

/// Writes down what all members speak while this node leads, for its life.
pub(crate) async fn keep(mesh: Mesh, journal: Journal) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if !journal.leads() {
            continue;
        }
        let Some(level) = mesh.common_level().filter(|common| *common > mesh.settled()) else {
            continue;
        };
        let append = Append {
            entity: Entity::new(entity::LEVEL, KEY),
            expected: None,
            epoch: 0,
            op_id: None,
            events: vec![entity::encode(&Settled { level })],
        };
        if !matches!(timeout(WRITTEN_WITHIN, journal.append(append)).await, Ok(Ok(_))) {
            tracing::debug!(level, "the level of the cluster is not written down yet");
        }
    }
}
