//! A table of slots with generations: an old id never reaches a new transaction.

/// The slots of one shard.
pub(super) struct Slots<T> {
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
    taken: usize,
}

struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), free: Vec::new(), taken: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.taken
    }

    /// Puts a value in and says where: slot and generation.
    pub(super) fn insert(&mut self, value: T) -> (u32, u32) {
        self.taken += 1;
        if let Some(slot) = self.free.pop() {
            let entry = &mut self.entries[slot as usize];
            entry.value = Some(value);
            return (slot, entry.generation);
        }
        let slot = u32::try_from(self.entries.len()).expect("fewer than 2^32 transactions");
        self.entries.push(Entry { generation: 0, value: Some(value) });
        (slot, 0)
    }

    pub(super) fn get(&self, slot: u32, generation: u32) -> Option<&T> {
        let entry = self.entries.get(slot as usize)?;
        if entry.generation != generation {
            return None;
        }
        entry.value.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: u32, generation: u32) -> Option<&mut T> {
        let entry = self.entries.get_mut(slot as usize)?;
        if entry.generation != generation {
            return None;
        }
        entry.value.as_mut()
    }

    pub(super) fn remove(&mut self, slot: u32, generation: u32) -> Option<T> {
        let entry = self.entries.get_mut(slot as usize)?;
        if entry.generation != generation {
            return None;
        }
        let value = entry.value.take()?;
        entry.generation = (entry.generation + 1) & 0xff_ffff;
        self.free.push(slot);
        self.taken -= 1;
        Some(value)
    }
}
