//! The journal's members follow the roster: who joined is added, caught up and given a vote, who
//! was thrown out loses it.

mod machine;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use tandem_journal::Journal;
use tandem_journal::transport::Peer;
use tandem_kernel::Clock;
use tandem_mesh::{Group, LinkStatus, Mesh};
use tandem_telemetry::metric;

use self::machine::{Step, next};

/// Between two looks. A member that joins waits for one or two of them.
const LOOK: Duration = Duration::from_millis(250);

/// A node that has heard of no quorum for so long has none.
const QUORUM_WITHIN: Duration = Duration::from_secs(2);

/// Brings the journal's members to what the roster says while this node leads, for its life.
pub(crate) async fn keep(mesh: Mesh, journal: Journal) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let status = journal.status();
        measure(&mesh, &journal);
        if !status.is_leader() || status.stopped.is_some() {
            continue;
        }
        let step = next(&mesh.roster().borrow(), &status, &linked(&mesh));
        let Some(step) = step else { continue };
        if let Err(error) = take(&journal, &step).await {
            tracing::debug!(?step, %error, "the journal's members stay as they are");
        } else {
            tracing::info!(?step, "the journal's members");
        }
    }
}

/// What an operator's dashboard shows of the links and the journal's members.
fn measure(mesh: &Mesh, journal: &Journal) {
    let status = mesh.status();
    let now = Clock::start().now();
    metric::CLUSTER_CERTIFICATE.set(status.certificate_until.since(now).as_secs());
    for member in &status.members {
        let rtt = match member.link {
            LinkStatus::Own => continue,
            LinkStatus::Up { rtt_micros } => rtt_micros,
            LinkStatus::Down(_) | LinkStatus::Refused(_) => 0,
        };
        metric::CLUSTER_LINK_RTT.set_with("member", member.name.clone(), rtt);
    }
    let group = group(journal);
    metric::JOURNAL_LEADS.set(u64::from(journal.leads()));
    metric::JOURNAL_QUORUM.set(u64::from(group.has_quorum));
    metric::JOURNAL_VOTERS.set(u64::try_from(group.voters.len()).unwrap_or(u64::MAX));
}

async fn take(journal: &Journal, step: &Step) -> Result<(), tandem_journal::MemberError> {
    match step {
        Step::Add(node, address) => {
            journal.add_learner(Peer { node: *node, address: address.clone() }).await
        }
        Step::Move(node, address) => {
            journal.relocate(Peer { node: *node, address: address.clone() }).await
        }
        Step::Promote(node) => journal.promote(*node).await,
        Step::Remove(node) => journal.remove(*node).await,
    }
}

/// The members that answer.
fn linked(mesh: &Mesh) -> BTreeSet<u64> {
    let up = mesh.status().members.into_iter().filter(|member| member.link.is_up());
    up.map(|member| member.node).collect()
}

/// Votes and leadership as `tandem cluster status` shows them.
pub(crate) fn group(journal: &Journal) -> Group {
    let status = journal.status();
    let has_quorum = journal.contact_age().is_some_and(|age| age < QUORUM_WITHIN);
    Group {
        leader: status.leader.filter(|_| has_quorum),
        voters: status.voters.iter().map(|peer| peer.node).collect(),
        has_quorum,
        applied: status.applied,
    }
}
