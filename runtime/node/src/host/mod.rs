//! The machine under the node: room on its disk and its clock, and what becomes of a node whose
//! journal has failed.

mod machine;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use tandem_actors::call::Calls;
use tandem_journal::Journal;
use tandem_kernel::Clock;
use tandem_mesh::{LinkStatus, Mesh};
use tandem_telemetry::metric;

pub(crate) use self::machine::{Room, room};
use self::machine::{apart, set_by};

/// Between two looks at the disk and the clock.
const LOOK: Duration = Duration::from_millis(500);

/// What is looked at.
pub(crate) struct Host {
    pub(crate) data_dir: PathBuf,
    /// In bytes.
    pub(crate) reserve: u64,
    pub(crate) journal: Journal,
    pub(crate) calls: Arc<Calls>,
    pub(crate) clock: Clock,
}

/// Bytes that a user may still write where `dir` is; none where the system does not say.
pub(crate) fn free(dir: &Path) -> Option<u64> {
    let at = rustix::fs::statvfs(dir).ok()?;
    Some(at.f_bavail.saturating_mul(at.f_frsize))
}

/// A disk that is full at the start would break the journal at its first write.
///
/// # Errors
/// When less than the reserve is free.
pub(crate) fn has_room(dir: &Path, reserve: u64) -> Result<()> {
    match free(dir) {
        Some(free) if free < reserve => bail!(
            "the disk is full: {} MiB are free in {}, and {} are kept for what goes on \
             (node.disk_reserve_mib): make room and start again",
            free >> 20,
            dir.display(),
            reserve >> 20
        ),
        _ => Ok(()),
    }
}

impl Host {
    /// Looks at the machine, for the node's life.
    pub(crate) async fn watch(self) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let before = apart(self.clock.now(), Clock::start().now());
        let (mut was, mut set) = (Room::Enough, None);
        loop {
            looks.tick().await;
            was = self.look_at_disk(was);
            let by = set_by(self.clock.now(), Clock::start().now(), before);
            metric::SYSTEM_CLOCK_SET.set(by.unwrap_or(0).unsigned_abs());
            if let Some(secs) = by.filter(|_| set.is_none()) {
                let cure = "timers go on unharmed; restart the node to take the new time";
                tracing::error!(secs, cure, "the system's clock was set while the node ran");
            }
            set = by;
        }
    }

    fn look_at_disk(&self, was: Room) -> Room {
        let Some(free) = free(&self.data_dir) else { return was };
        metric::DISK_FREE.set(free);
        let now = room(was, free, self.reserve);
        if now == was {
            return was;
        }
        let mib = free >> 20;
        self.journal.hold(now == Room::Full);
        self.calls.set_full(now == Room::Full);
        match now {
            Room::Full => tracing::error!(mib, "the disk is full: nothing new is taken"),
            Room::Scarce => tracing::warn!(mib, "the disk is nearly full"),
            Room::Enough => tracing::info!(mib, "the disk has room again"),
        }
        now
    }
}

/// Waits until the journal has failed while others can go on with this node's calls; gives why.
/// A node that is alone stays for the calls that it has, and refuses what is new.
pub(crate) async fn journal_failed(
    journal: &Journal,
    calls: &Calls,
    mesh: Option<&Mesh>,
) -> String {
    let mut status = journal.watch_status();
    let Ok(why) = status
        .wait_for(|status| status.stopped.is_some())
        .await
        .map(|status| status.stopped.clone().unwrap_or_default())
    else {
        return std::future::pending().await;
    };
    tracing::error!(why, "the journal has failed: this node writes nothing any more");
    calls.set_full(true);
    loop {
        if mesh.is_some_and(has_company) {
            return why;
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn has_company(mesh: &Mesh) -> bool {
    let members = mesh.status().members;
    members.iter().any(|member| matches!(member.link, LinkStatus::Up { .. }))
}
