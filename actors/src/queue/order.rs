//! Which agent rings next: the five sequential strategies. `ring_all` has no
//! order.

use tandem_config::resource::{Membership, RingStrategy};
use tandem_kernel::Timestamp;

use super::facts::{Pointer, Tally};

/// An agent who could ring now.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The agent.
    pub extension: &'a str,
    /// The place in the member list, from 0.
    pub place: usize,
    /// The skill level; 1 is the best.
    pub level: u8,
    /// Static or dynamic.
    pub membership: Membership,
    /// Logged in since; for static agents: added at.
    pub since: Timestamp,
    /// The agent's figures in this queue.
    pub tally: Tally,
    /// Whether the agent rang for this caller already in this pass.
    pub tried: bool,
}

/// Those of the best level who did not ring in this pass; when all rang, the next pass begins
/// with the best level.
#[must_use]
pub fn most_skilled(mut candidates: Vec<Candidate<'_>>) -> Vec<Candidate<'_>> {
    let any_untried = candidates.iter().any(|candidate| !candidate.tried);
    candidates.retain(|candidate| !any_untried || !candidate.tried);
    let best = candidates.iter().map(|candidate| candidate.level).min();
    candidates.retain(|candidate| Some(candidate.level) == best);
    candidates
}

/// The agent who rings next. `place_of` finds the place of a member; `chance` decides for
/// `random`. Candidates come in list order.
///
/// No strategy but `rrmemory`, whose pointer moves anyway, takes an agent twice in one pass
/// while another one is untried.
#[must_use]
pub fn next<'a>(
    strategy: RingStrategy,
    candidates: &[Candidate<'a>],
    pointer: &Pointer,
    place_of: impl Fn(&str) -> Option<usize>,
    chance: u64,
) -> Option<Candidate<'a>> {
    if strategy == RingStrategy::Rrmemory {
        return after_pointer(candidates, pointer, place_of);
    }
    let any_untried = candidates.iter().any(|candidate| !candidate.tried);
    let pool = || candidates.iter().filter(|candidate| !any_untried || !candidate.tried);
    let found = match strategy {
        RingStrategy::RingAll | RingStrategy::Rrmemory => pool().next(),
        RingStrategy::LeastRecent => pool().min_by_key(|it| (it.tally.last_call, it.place)),
        RingStrategy::FewestCalls => {
            pool().min_by_key(|it| (it.tally.answered, it.tally.last_call, it.place))
        }
        RingStrategy::Linear => pool().min_by_key(|it| (it.since, it.place)),
        RingStrategy::Random => {
            let count = u64::try_from(pool().count()).unwrap_or(u64::MAX).max(1);
            pool().nth(usize::try_from(chance % count).unwrap_or(0))
        }
    };
    found.copied()
}

/// the static agent after the one who rang last, in list order; only when no static
/// agent is there, the dynamic agent after the one who rang last, in the order of log-in.
fn after_pointer<'a>(
    candidates: &[Candidate<'a>],
    pointer: &Pointer,
    place_of: impl Fn(&str) -> Option<usize>,
) -> Option<Candidate<'a>> {
    let of = |membership| candidates.iter().filter(move |it| it.membership == membership);
    let last = pointer.of_static.as_deref().and_then(&place_of);
    let later = of(Membership::Static).filter(|it| last.is_some_and(|last| it.place > last));
    let found = later.min_by_key(|it| it.place);
    if let Some(found) = found.or_else(|| of(Membership::Static).min_by_key(|it| it.place)) {
        return Some(*found);
    }
    let last = pointer.of_dynamic.as_ref();
    // A pointer to an agent who is no member any more stands behind all who logged in with them.
    let last = last.map(|(since, agent)| (*since, place_of(agent).unwrap_or(usize::MAX)));
    let turn = |it: &&Candidate<'a>| (it.since, it.place);
    let later = of(Membership::Dynamic).filter(|it| last.is_some_and(|last| turn(it) > last));
    let found = later.min_by_key(turn);
    found.or_else(|| of(Membership::Dynamic).min_by_key(turn)).copied()
}
