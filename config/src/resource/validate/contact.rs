//! What is wrong with a contact.

use super::Wrong;
use crate::resource::{Contact, ContactMatch};

/// Most numbers of one contact.
const MOST_NUMBERS: usize = 10;

impl Contact {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        wrong.key(&self.id, "/id");
        wrong.name(&self.name, "/name");
        wrong.text(&self.company, 0, 120, "/company");
        let few = (1..=MOST_NUMBERS).contains(&self.numbers.len());
        wrong.unless(few, "/numbers", "out-of-range", "1 to 10 numbers");
        for (index, number) in self.numbers.iter().enumerate() {
            let pointer = format!("/numbers/{index}");
            wrong.text(number, 1, 40, &pointer);
            let dials = number.chars().any(|c| c.is_ascii_digit());
            wrong.unless(dials, &pointer, "not-a-number", "a number has a digit");
        }
    }
}

impl ContactMatch {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        let count = u32::from(self.last_digits.unwrap_or(7));
        wrong.between(count, 4, 31, "/contact_match/last_digits");
    }
}
