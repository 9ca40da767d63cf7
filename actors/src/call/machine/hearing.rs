//! Who hears whom while more than two talk.

use std::collections::BTreeSet;

use super::types::LegIndex;

/// Each party with the others that it hears: all, never itself. Who holds is out until they
/// resume: they hear nobody and nobody hears them, since their phone plays no music to a meeting.
pub(super) fn among(
    parties: &[LegIndex],
    holders: &BTreeSet<LegIndex>,
) -> Vec<(LegIndex, Vec<LegIndex>)> {
    let present = |leg: &LegIndex| !holders.contains(leg);
    let hears = |leg: &LegIndex| {
        let others = parties.iter().filter(|other| *other != leg && present(other));
        if present(leg) { others.copied().collect() } else { Vec::new() }
    };
    parties.iter().map(|leg| (*leg, hears(leg))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn meeting() -> impl Strategy<Value = (Vec<LegIndex>, BTreeSet<LegIndex>)> {
        let parties = prop::collection::btree_set(0_u16..20, 0..9);
        let holders = prop::collection::btree_set(0_u16..20, 0..6);
        (parties, holders).prop_map(|(parties, holders)| (parties.into_iter().collect(), holders))
    }

    proptest! {
        #[test]
        fn nobody_hears_their_own_voice((parties, holders) in meeting()) {
            for (leg, heard) in among(&parties, &holders) {
                prop_assert!(!heard.contains(&leg));
            }
        }

        #[test]
        fn who_does_not_hold_hears_each_other_party_once((parties, holders) in meeting()) {
            let rows = among(&parties, &holders);

            prop_assert_eq!(rows.len(), parties.len());
            for (leg, heard) in rows {
                for other in &parties {
                    let is_wanted =
                        leg != *other && !holders.contains(&leg) && !holders.contains(other);
                    let times = heard.iter().filter(|it| *it == other).count();
                    prop_assert_eq!(times, usize::from(is_wanted));
                }
            }
        }
    }
}
