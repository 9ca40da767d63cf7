//! What a call makes the lamps of others show: subscriptions to the calls of an extension.

use super::CallState;

impl CallState {
    /// Changes the lamps of whoever watches an extension of this call.
    pub(super) fn show(&mut self) {
        let mut gone = std::mem::take(&mut self.shown);
        for (leg, extension, talk) in self.call.talks() {
            let before = gone.remove(&leg);
            let is_same = before.as_ref().is_some_and(|(who, it)| who == extension && *it == talk);
            if let Some((other, _)) = before.as_ref().filter(|(who, _)| who != extension) {
                self.exchange.lamps.talk(other, self.id, leg, None);
            }
            if !is_same {
                self.exchange.lamps.talk(extension, self.id, leg, Some(talk.clone()));
            }
            self.shown.insert(leg, (extension.to_owned(), talk));
        }
        for (leg, (extension, _)) in gone {
            self.exchange.lamps.talk(&extension, self.id, leg, None);
        }
    }

    /// Nothing of this call is to be seen any more, however it ended.
    pub(super) fn darken(&mut self) {
        for (leg, (extension, _)) in std::mem::take(&mut self.shown) {
            self.exchange.lamps.talk(&extension, self.id, leg, None);
        }
    }
}
