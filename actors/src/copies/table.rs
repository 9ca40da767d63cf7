//! Which files there are, and which of them this member has yet to get or to throw away. Pure.

use std::collections::BTreeMap;

use super::FileName;

/// What the bytes of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) bytes: u64,
    /// BLAKE3, hex.
    pub(super) checksum: String,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// To have these bytes under the name.
    Have(FileName, Fact),
    /// To have nothing under it.
    Lose(FileName),
}

/// The files by name; none: it is gone. What was done leaves `due`.
#[derive(Debug, Default)]
pub(super) struct Table {
    files: BTreeMap<FileName, Fact>,
    due: BTreeMap<FileName, Option<Fact>>,
}

impl Table {
    pub(super) fn exists(&mut self, name: FileName, fact: Fact) {
        self.files.insert(name.clone(), fact.clone());
        self.due.insert(name, Some(fact));
    }

    pub(super) fn is_gone(&mut self, name: FileName) {
        self.files.remove(&name);
        self.due.insert(name, None);
    }

    /// Whether a fact tells of a file of this name.
    pub(super) fn knows(&self, name: &FileName) -> bool {
        self.files.contains_key(name)
    }

    /// What is to be done, in the order of the names.
    pub(super) fn tasks(&self) -> Vec<Task> {
        let task = |(name, fact): (&FileName, &Option<Fact>)| match fact {
            Some(fact) => Task::Have(name.clone(), fact.clone()),
            None => Task::Lose(name.clone()),
        };
        self.due.iter().map(task).collect()
    }

    /// Leaves everything as it is.
    pub(super) fn nothing_is_due(&mut self) {
        self.due.clear();
    }

    /// A task is done. One that has changed meanwhile is not.
    pub(super) fn done(&mut self, task: &Task) {
        let (name, fact) = match task {
            Task::Have(name, fact) => (name, Some(fact)),
            Task::Lose(name) => (name, None),
        };
        if self.due.get(name).is_some_and(|due| due.as_ref() == fact) {
            self.due.remove(name);
        }
    }
}
