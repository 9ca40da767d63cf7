//! Splitting a line of several values.

use memchr::{memchr, memchr2};

use super::name::{Name, Shape};

/// The values of one line.
#[derive(Clone, Debug)]
pub(super) struct Values<'a> {
    rest: Option<&'a str>,
    shape: Shape,
}

impl<'a> Values<'a> {
    pub(super) const fn of(name: Name, line: &'a str) -> Self {
        // A header without any value is there all the same: one empty value.
        let shape = if line.is_empty() { Shape::One } else { name.shape() };
        Self { rest: Some(line), shape }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        loop {
            let text = self.rest.take()?;
            if self.shape == Shape::One {
                return Some(text);
            }
            let end = first_end(text.as_bytes());
            self.rest = text.get(end + 1..);
            let value = text[..end].trim_ascii();
            // An empty one among others makes a Via or Contact malformed; elsewhere it means
            // nothing.
            if !value.is_empty() || self.shape == Shape::StrictList {
                return Some(value);
            }
        }
    }
}

/// Where the first value ends: at a comma outside quotes and angle brackets.
fn first_end(bytes: &[u8]) -> usize {
    let Some(comma) = memchr(b',', bytes) else { return bytes.len() };
    let Some(mut at) = memchr2(b'"', b'<', &bytes[..comma]) else { return comma };
    let mut is_bracketed = false;
    while at < bytes.len() {
        match bytes[at] {
            b'"' if !is_bracketed => at = closing_quote(bytes, at).unwrap_or(bytes.len()),
            b'<' => is_bracketed = true,
            b'>' => is_bracketed = false,
            b',' if !is_bracketed => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// Where the quoted string that begins at `open` ends; a backslash hides the next character.
pub(crate) fn closing_quote(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'"' => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}
