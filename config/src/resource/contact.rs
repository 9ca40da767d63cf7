//! Company contacts: names for the numbers of callers (section 27).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Somebody outside whose calls are shown by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// What it is known by; unique, never changes.
    pub id: String,
    /// The name that is shown.
    pub name: String,
    /// Where they belong.
    #[serde(default)]
    pub company: String,
    /// Their numbers, as they are written.
    pub numbers: Vec<String>,
}

/// When a caller's number is a contact's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactMatch {
    /// Longer numbers are the same when so many last digits are, 4 to 31; none: all must be.
    pub last_digits: Option<u8>,
    /// Whether only digits count.
    pub ignore_symbols: bool,
}

impl Default for ContactMatch {
    fn default() -> Self {
        Self { last_digits: Some(7), ignore_symbols: true }
    }
}

impl ContactMatch {
    /// Whether a caller's number is the stored one.
    #[must_use]
    pub fn is_same(&self, stored: &str, caller: &str) -> bool {
        let (stored, caller) = (self.cleaned(stored), self.cleaned(caller));
        if caller.is_empty() {
            return false;
        }
        match self.last_digits.map(usize::from) {
            Some(count) if caller.chars().count() > count => {
                let (one, other) = (tail(&stored, count), tail(&caller, count));
                one.is_some() && one == other
            }
            _ => stored == caller,
        }
    }

    fn cleaned<'n>(&self, number: &'n str) -> Cow<'n, str> {
        if self.ignore_symbols { digits(number).into() } else { number.into() }
    }
}

impl Contact {
    /// Numbers that can be the same by any rule have this in common: the last four digits.
    #[must_use]
    pub fn bucket(number: &str) -> String {
        let digits = digits(number);
        digits.get(digits.len().saturating_sub(4)..).unwrap_or_default().to_owned()
    }
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// The last characters; none when there are fewer.
fn tail(text: &str, count: usize) -> Option<&str> {
    let (at, _) = text.char_indices().rev().nth(count.checked_sub(1)?)?;
    text.get(at..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_556_vector_14_a_caller_of_six_digits_needs_identity_by_the_rule_of_seven() {
        let rule = ContactMatch { last_digits: Some(7), ignore_symbols: false };
        assert!(rule.is_same("550123", "550123"));
        assert!(!rule.is_same("5550123", "550123"), "six digits are not the end of seven");
        assert!(!rule.is_same("5550123", "5550124"));
        assert!(rule.is_same("5550123", "5550123"));
        assert!(rule.is_same("5550123", "02225550123"));
        assert!(rule.is_same("0912345678", "+886912345678"));
        assert!(!rule.is_same("345678", "+886912345678"), "the stored one is shorter");
        assert!(!rule.is_same("", ""));
    }

    #[test]
    fn q_556_q_557_an_exact_rule_and_symbols() {
        let exact = |ignore_symbols| ContactMatch { last_digits: None, ignore_symbols };
        assert!(!exact(true).is_same("0912345678", "+886912345678"));
        assert!(exact(true).is_same("(02) 2555-0123", "0225550123"));
        assert!(!exact(false).is_same("(02) 2555-0123", "0225550123"));
        let rule = ContactMatch::default();
        assert!(rule.is_same("(02) 2555-0123", "+886 2 2555 0123"));
        for pair in [("(02) 2555-0123", "+88622555 0123"), ("12", "1-2")] {
            assert_eq!(Contact::bucket(pair.0), Contact::bucket(pair.1));
        }
    }
}
