//! Contacts by their numbers: a call looks at a few of many thousand.

use rpds::RedBlackTreeMapSync;
use tandem_config::resource::Contact;

/// Ids of contacts by what numbers that may be the same have in common. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ByNumber(RedBlackTreeMapSync<(String, String), ()>);

impl ByNumber {
    pub(super) fn add(&mut self, contact: &Contact) {
        for number in &contact.numbers {
            self.0.insert_mut((Contact::bucket(number), contact.id.clone()), ());
        }
    }

    pub(super) fn remove(&mut self, contact: &Contact) {
        for number in &contact.numbers {
            self.0.remove_mut(&(Contact::bucket(number), contact.id.clone()));
        }
    }

    /// Contacts whose numbers may be this one.
    pub(super) fn near(&self, number: &str) -> impl Iterator<Item = &str> {
        let bucket = Contact::bucket(number);
        let from = (bucket.clone(), String::new());
        let found = self.0.range(from..).map(|(key, ())| key);
        found.take_while(move |(of, _)| *of == bucket).map(|(_, id)| id.as_str())
    }
}
