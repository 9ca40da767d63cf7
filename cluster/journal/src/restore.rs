//! A journal that begins with the records of a copy.

use std::collections::BTreeSet;
use std::path::Path;

use openraft::alias::{LeaderIdOf, LogIdOf};
use openraft::vote::RaftLeaderIdExt;
use openraft::{Membership, StoredMembership};
use tandem_kernel::Position;
use tandem_store::Options;

use crate::error::OpenError;
use crate::format::Applied;
use crate::group::Group;
use crate::handle::Journal;
use crate::referee::Operations;
use crate::{transfer, verify};

/// A node that is alone.
const ALONE: u64 = 1;

impl Journal {
    /// Makes a journal in `dir`, which holds none, from a copy that [`export`](Self::export) wrote:
    /// of all its records, or of those up to `until`. It is that of node 1, and nobody else's:
    /// other members join it as they join any. Gives the place of its last record.
    ///
    /// # Errors
    ///
    /// When the copy is damaged, the directory is in use, or the disk fails.
    pub fn restore(
        dir: &Path,
        copy: &Path,
        until: Option<Position>,
    ) -> Result<Position, OpenError> {
        let (log, state) = verify::open_stores(dir, Options::default().cache_bytes)?;
        verify::claim(dir, &log, ALONE)?;
        let incoming = transfer::incoming_of(&state);
        let until = until.map(|until| until.index);
        transfer::cut(copy, &incoming, until, alone)?;
        let applied = transfer::install(&state, &incoming, &mut Operations::default())?;
        verify::align(&log, &state)?;
        log.close()?;
        state.close()?;
        verify::mark(dir)?;
        Ok(Position::at(applied.head))
    }
}

/// The copy as a group of one node has it: in a term before its first one.
fn alone(copied: &Applied) -> Applied {
    let index = copied.log_id.map_or(0, |id| id.index);
    let log_id: LogIdOf<Group> =
        LogIdOf::<Group>::new(LeaderIdOf::<Group>::new_committed(0, ALONE), index);
    let voters = vec![BTreeSet::from([ALONE])];
    let membership = Membership::new_with_defaults(voters, []);
    Applied {
        log_id: Some(log_id),
        membership: StoredMembership::new(Some(log_id), membership),
        head: copied.head,
        last_at: copied.last_at,
    }
}
