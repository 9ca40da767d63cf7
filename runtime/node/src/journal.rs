//! Opening the journal: alone, as the founder of a cluster or as one who joined.

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::{Result, bail};
use tandem_actors::gateway::Gateway;
use tandem_config::NodeConfig;
use tandem_journal::{Begin, Cluster, Journal, OpenError};
use tandem_kernel::Clock;
use tandem_mesh::Mesh;

use crate::members;
use crate::transport::Links;

/// Set when a member has opened its journal for the first time: without it the member has a vote
/// that it may have given, and must not begin anew under the same number.
const BEGUN: &str = "cluster/journal-begun";

/// Opens the journal.
///
/// # Errors
/// When it is damaged, belongs to another member, or is gone.
pub(crate) async fn open(
    config: &NodeConfig,
    clock: Clock,
    mesh: Option<&Mesh>,
    actors: &Arc<OnceLock<Gateway>>,
) -> Result<Journal> {
    let data_dir = &config.node.data_dir;
    let mut wanted = tandem_journal::Config::new(data_dir.join("journal"), clock);
    if let Some(mesh) = mesh {
        let begin = begin(data_dir, mesh)?;
        wanted.node = mesh.node();
        wanted.cluster = Some(Cluster {
            transport: Arc::new(Links { mesh: mesh.clone(), actors: actors.clone() }),
            address: mesh.address().to_owned(),
            begin,
        });
        if begin == Begin::Join && !wanted.dir.exists() {
            tracing::info!("waiting until the leader lets this node into the journal");
        }
    }
    let journal = opened(wanted, clock).await.map_err(|error| {
        tracing::error!(%error, "the journal did not open");
        explained(error, mesh)
    })?;
    if let Some(mesh) = mesh {
        fs::write(data_dir.join(BEGUN), b"")?;
        let told = journal.clone();
        mesh.tell(Box::new(move || members::group(&told)));
    }
    Ok(journal)
}

/// A copy that this machine kept as a member with another number is set aside: it gets all of it
/// again. The first number may be that of a node that was alone, whose journal nobody else has.
async fn opened(wanted: tandem_journal::Config, clock: Clock) -> Result<Journal, OpenError> {
    match Journal::open(wanted.clone()).await {
        Err(OpenError::WrongNode { owner, .. }) if wanted.cluster.is_some() && owner != 1 => {
            Journal::set_aside(&wanted.dir, clock.now())?;
            Journal::open(wanted).await
        }
        outcome => outcome,
    }
}

/// What an empty folder becomes. The founder founds the journal as long as nobody can have
/// joined it.
fn begin(data_dir: &Path, mesh: &Mesh) -> Result<Begin> {
    let roster = mesh.roster();
    let roster = roster.borrow();
    if data_dir.join(BEGUN).exists() && !data_dir.join("journal").exists() {
        bail!(
            "the journal of member {} is gone, and with it the votes that it gave: throw the \
             member out (`tandem cluster remove`) and join again with an empty data folder",
            mesh.node()
        );
    }
    let is_first = roster.authority == mesh.node() && !data_dir.join(BEGUN).exists();
    Ok(if is_first { Begin::Found } else { Begin::Join })
}

fn explained(error: OpenError, mesh: Option<&Mesh>) -> anyhow::Error {
    let joins = mesh.is_some() && matches!(error, OpenError::WrongNode { .. });
    let error = anyhow::Error::new(error);
    if joins {
        return error.context(
            "a node joins a cluster with an empty data folder; this one was another node's",
        );
    }
    error
}

/// Gives the leadership away before the node ends, so that nobody has to find out by silence.
pub(crate) async fn hand_over(journal: &Journal) {
    if !journal.is_shared() || !journal.leads() || journal.status().voters.len() < 2 {
        return;
    }
    match journal.hand_over(None).await {
        Ok(leader) => tracing::info!(leader, "the leadership was handed over"),
        Err(error) => tracing::warn!(%error, "the leadership was not handed over"),
    }
}
