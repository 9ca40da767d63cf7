//! What writers saw, and whether a single journal could have shown it to them.
//!
//! An append tells the version that it made, so the order in which a correct journal took the
//! appends of an entity is known: the history is linearisable exactly if versions are unique,
//! agree with the journal, and an append that began after another had ended has the greater
//! one. A refused append says which version it found, which must lie between what had ended
//! when it began and what had begun when it ended.

use std::collections::HashMap;
use std::fmt::Debug;

/// What became of one append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It made this version.
    Done(u64),
    /// It was refused at this version.
    Refused(u64),
    /// Nobody knows.
    Open,
}

/// One append as its writer saw it, by the clock `T`.
#[derive(Clone, Debug)]
pub(super) struct Seen<T> {
    pub(super) entity: String,
    pub(super) op_id: u128,
    pub(super) begun: T,
    pub(super) ended: T,
    pub(super) outcome: Outcome,
}

/// One append in the journal: which operation, to what, the version that it made.
pub(super) type Written<'a> = (u128, &'a str, u64);

/// Says what is wrong with a history, given the journal that it led to.
pub(super) fn check<'a, T: Copy + Ord + Debug>(
    history: &[Seen<T>],
    written: impl Iterator<Item = Written<'a>>,
) -> Result<(), String> {
    let mut places: HashMap<u128, (String, u64)> = HashMap::new();
    for (op_id, entity, version) in written {
        if places.insert(op_id, (entity.to_owned(), version)).is_some() {
            return Err(format!("operation {op_id} is in the journal twice"));
        }
    }
    for seen in history {
        let found = places.get(&seen.op_id);
        match seen.outcome {
            Outcome::Done(version) if found != Some(&(seen.entity.clone(), version)) => {
                return Err(format!("acknowledged {seen:?} is {found:?} in the journal"));
            }
            Outcome::Refused(_) if found.is_some() => {
                return Err(format!("refused {seen:?} is in the journal"));
            }
            _ => {}
        }
    }
    in_real_time(history)
}

fn in_real_time<T: Copy + Ord + Debug>(history: &[Seen<T>]) -> Result<(), String> {
    let mut of_entity: HashMap<&str, Vec<&Seen<T>>> = HashMap::new();
    for seen in history {
        of_entity.entry(&seen.entity).or_default().push(seen);
    }
    for all in of_entity.values() {
        for later in all {
            let before =
                all.iter().filter(|it| it.ended < later.begun).filter_map(|it| match it.outcome {
                    Outcome::Done(version) | Outcome::Refused(version) => Some(version),
                    Outcome::Open => None,
                });
            let floor = before.max().unwrap_or(0);
            let begun = all.iter().filter(|it| it.begun < later.ended);
            let begun = begun.filter(|it| !matches!(it.outcome, Outcome::Refused(_))).count();
            let ceiling = u64::try_from(begun).unwrap();
            let is_possible = match later.outcome {
                Outcome::Done(version) => version > floor && version <= ceiling,
                Outcome::Refused(found) => found >= floor && found <= ceiling,
                Outcome::Open => true,
            };
            if !is_possible {
                return Err(format!("{later:?} is outside {floor} to {ceiling}"));
            }
        }
    }
    Ok(())
}
