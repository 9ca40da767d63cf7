//! Dial patterns: `X` 0–9, `Z` 1–9, `N` 2–9, `[13-5]` a set, `.` one or more, `!` none or more.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest pattern.
const MAX_ELEMENTS: usize = 64;

/// The text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// No element, or too many.
    #[error("a pattern has 1 to {MAX_ELEMENTS} elements")]
    Length,
    /// A character that means nothing here.
    #[error("{0:?} has no meaning in a pattern")]
    Character(char),
    /// `[` without `]`, or nothing between.
    #[error("a set is not closed or is empty")]
    Set,
    /// `.` or `!` before the end.
    #[error("`.` and `!` stand at the end only")]
    NotLast,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Element {
    Exactly(char),
    OneOf(Vec<char>),
    OneOrMore,
    NoneOrMore,
}

/// A pattern of dialled numbers. Written and read as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    elements: Vec<Element>,
}

impl Pattern {
    /// Whether the whole number fits.
    #[must_use]
    pub fn matches(&self, number: &str) -> bool {
        let mut rest = number.chars();
        for element in &self.elements {
            match element {
                Element::NoneOrMore => return true,
                Element::OneOrMore => return rest.next().is_some(),
                Element::Exactly(wanted) => {
                    if rest.next() != Some(*wanted) {
                        return false;
                    }
                }
                Element::OneOf(set) => match rest.next() {
                    Some(digit) if set.contains(&digit) => {}
                    _ => return false,
                },
            }
        }
        rest.next().is_none()
    }

    /// Whether some number that begins with these digits fits.
    #[must_use]
    pub fn may_begin(&self, digits: &str) -> bool {
        let mut elements = self.elements.iter();
        for digit in digits.chars() {
            match elements.next() {
                Some(Element::NoneOrMore | Element::OneOrMore) => return true,
                Some(Element::Exactly(wanted)) if *wanted == digit => {}
                Some(Element::OneOf(set)) if set.contains(&digit) => {}
                _ => return false,
            }
        }
        true
    }

    /// The text it was written as.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Pattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let mut elements = Vec::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            if matches!(elements.last(), Some(Element::OneOrMore | Element::NoneOrMore)) {
                return Err(BadPattern::NotLast);
            }
            elements.push(match character {
                'X' | 'x' => Element::OneOf(('0'..='9').collect()),
                'Z' | 'z' => Element::OneOf(('1'..='9').collect()),
                'N' | 'n' => Element::OneOf(('2'..='9').collect()),
                '.' => Element::OneOrMore,
                '!' => Element::NoneOrMore,
                '[' => Element::OneOf(set(&mut rest)?),
                '0'..='9' | '+' | '*' | '#' => Element::Exactly(character),
                other => return Err(BadPattern::Character(other)),
            });
        }
        if elements.is_empty() || elements.len() > MAX_ELEMENTS {
            return Err(BadPattern::Length);
        }
        Ok(Self { text: text.to_owned(), elements })
    }
}

fn set(rest: &mut std::str::Chars<'_>) -> Result<Vec<char>, BadPattern> {
    let (inside, after) = rest.as_str().split_once(']').ok_or(BadPattern::Set)?;
    *rest = after.chars();
    let characters: Vec<char> = inside.chars().collect();
    let mut members = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let first = characters[at];
        let last = match (characters.get(at + 1), characters.get(at + 2)) {
            (Some('-'), Some(last)) => {
                at += 2;
                *last
            }
            _ => first,
        };
        if !first.is_ascii_digit() || !last.is_ascii_digit() || first > last {
            return Err(BadPattern::Set);
        }
        members.extend(first..=last);
        at += 1;
    }
    if members.is_empty() { Err(BadPattern::Set) } else { Ok(members) }
}

impl TryFrom<String> for Pattern {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
