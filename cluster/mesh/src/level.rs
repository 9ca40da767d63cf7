//! What builds say to each other changes with time; a *level* is the number of one state of that
//! language. A build speaks a range of them, and the two ends of a link agree on the highest one
//! that both speak, so that members are upgraded one after the other.
//!
//! What stays is read by all members and by those who start later: it is written at a higher level
//! only once the level is *settled*, when all members have spoken it. From then on no older build
//! is let in.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::mesh::{Inner, Mesh};
use crate::{MeshError, control, files, tls};

/// The newest level of this build. 2: SIP through the member that a phone is connected to. 3: the
/// audio of browsers between members is encrypted, a member that ends says so before it leaves.
pub const NEWEST: u16 = 3;

/// The oldest level that this build speaks.
pub const OLDEST: u16 = 1;

/// All that this build speaks.
pub(crate) const KNOWN: RangeInclusive<u16> = OLDEST..=NEWEST;

/// The levels of one member.
#[derive(Debug)]
pub(crate) struct Levels {
    most: u16,
    settled: AtomicU16,
}

impl Levels {
    /// Reads what was settled. An operator may hold the level below the newest.
    ///
    /// # Errors
    /// When this build, or the operator's choice, is too old for what was settled.
    pub(crate) fn load(dir: &Path, at_most: Option<u16>) -> Result<Self, MeshError> {
        let most = at_most.unwrap_or(NEWEST);
        let path = dir.join(files::LEVEL);
        let settled = match std::fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(|_| {
                MeshError::Unreadable(path, "it holds no level of the cluster".to_owned())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => OLDEST,
            Err(error) => return Err(error.into()),
        };
        if !(settled.max(OLDEST)..=NEWEST).contains(&most) {
            return Err(MeshError::Level { wanted: most, settled });
        }
        Ok(Self { most, settled: AtomicU16::new(settled) })
    }

    /// Those that a link may have.
    pub(crate) fn spoken(&self) -> RangeInclusive<u16> {
        self.settled()..=self.most
    }

    /// The highest one that this member speaks.
    pub(crate) const fn most(&self) -> u16 {
        self.most
    }

    /// What everybody reads.
    pub(crate) fn settled(&self) -> u16 {
        self.settled.load(Ordering::Relaxed)
    }

    /// All members speak a level: false, if it was known. It is on disk when this returns.
    pub(crate) fn settle(&self, dir: &Path, level: u16) -> Result<bool, MeshError> {
        if level <= self.settled() {
            return Ok(false);
        }
        files::write(&dir.join(files::LEVEL), level.to_string().as_bytes())?;
        self.settled.store(level, Ordering::Relaxed);
        Ok(true)
    }
}

impl Mesh {
    /// What can be said to a member: the level of the link to it, or of the last one.
    #[must_use]
    pub fn level_of(&self, node: u64) -> u16 {
        self.inner().link(node).map_or(OLDEST, |link| link.level())
    }

    /// What all members read, also those that are not here just now.
    #[must_use]
    pub fn settled(&self) -> u16 {
        self.inner().levels.settled()
    }

    /// The highest level that all members speak now; none: one of them can not be reached.
    #[must_use]
    pub fn common_level(&self) -> Option<u16> {
        let inner = self.inner();
        let others = inner.roster().active().map(|member| member.node).collect::<Vec<_>>();
        let others = others.into_iter().filter(|node| *node != inner.node());
        let spoken = others.map(|node| {
            let link = inner.link(node)?;
            link.status().is_up().then(|| link.level())
        });
        spoken.chain([Some(inner.levels.most())]).min_by_key(|level| *level).flatten()
    }

    /// All members speak a level: who is older is let in no more.
    ///
    /// # Errors
    /// When it can not be written down.
    pub fn settle(&self, level: u16) -> Result<(), MeshError> {
        let inner = self.inner();
        if inner.levels.settle(&inner.config.dir, level)? {
            tracing::info!(level, "all members speak it: no older build is let in from now on");
            inner.listen_anew()?;
        }
        Ok(())
    }
}

impl Inner {
    /// What is accepted follows from our certificate and from what was settled.
    pub(crate) fn listen_anew(&self) -> Result<(), MeshError> {
        let levels = self.levels.spoken();
        let server = tls::server(&self.credentials(), &levels, &self.config.timing)?;
        self.endpoint.set_server_config(Some(server));
        Ok(())
    }

    pub(crate) fn all_levels(&self) -> control::Levels {
        let level = |node| match self.link(node) {
            Some(link) => link.level(),
            None => self.levels.most(),
        };
        let members = self.roster().active().map(|it| (it.node, level(it.node))).collect();
        control::Levels { settled: self.levels.settled(), members }
    }
}
