//! Which contacts are flows of one phone (RFC 5626 7): a call takes one of them at a time.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::{Held, Registrar, Way};
use crate::registrar::Binding;

impl Registrar {
    /// The phones of an extension that a member reaches, the one that registered last first. Of
    /// one with several flows it is the flow that was heard of last.
    #[must_use]
    pub fn phones(&self, extension: &str, node: u64) -> Vec<&Binding> {
        let mut seen = BTreeSet::new();
        let newest = self.newest_first(extension).into_iter();
        let reached = newest.filter(|held| self.way_to(extension, held, node).is_some());
        let each = reached.map(|held| &held.binding);
        each.filter(|it| it.instance().is_none_or(|instance| seen.insert(instance))).collect()
    }

    /// The other flows of a phone that a member reaches, with its ways to them, in the order in
    /// which they are tried when the flow of this key has failed.
    #[must_use]
    pub fn other_flows(&self, extension: &str, key: &str, node: u64) -> Vec<(Binding, Way)> {
        let all = self.newest_first(extension);
        let Some(held) = all.iter().find(|held| held.binding.key == key) else { return Vec::new() };
        let Some(instance) = held.binding.instance() else { return Vec::new() };
        let others = all.iter().filter(|it| it.binding.key != key);
        let flows = others.filter(|it| it.binding.instance() == Some(instance));
        let with_way =
            |held: &&Held| Some((held.binding.clone(), self.way_to(extension, held, node)?));
        flows.filter_map(with_way).collect()
    }

    fn newest_first(&self, extension: &str) -> Vec<&Held> {
        let held = self.bindings.get(extension).into_iter().flat_map(|all| all.values());
        let mut all: Vec<&Held> = held.collect();
        all.sort_by_key(|held| Reverse(held.registered));
        all
    }
}
