//! From bytes to lines: where the head ends, and how folded lines become one.

use memchr::{Memchr, memchr_iter};

/// The lines of a head, without their ends. RFC 3261 wants CR LF; a lone LF is understood too,
/// as most peers do. Never yields the blank line that ends the head.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where `at` began: the ends are counted from there.
    origin: usize,
    ends: Memchr<'a>,
    /// Where the body begins, once the blank line has been seen.
    pub(super) body_at: Option<usize>,
    /// Lines that ended with CR LF so far, the blank one included.
    pub(super) carriage_returns: usize,
}

/// One line of a head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        let ends = memchr_iter(b'\n', &bytes[at..]);
        Self { bytes, at, origin: at, ends, body_at: None, carriage_returns: 0 }
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    #[inline]
    fn next(&mut self) -> Option<Line> {
        if self.body_at.is_some() || self.at >= self.bytes.len() {
            return None;
        }
        let start = self.at;
        let Some(found) = self.ends.next() else {
            self.at = self.bytes.len();
            return Some(Line { start, end: self.at });
        };
        let mut end = self.origin + found;
        self.at = end + 1;
        if end > start && self.bytes[end - 1] == b'\r' {
            end -= 1;
            self.carriage_returns += 1;
        }
        if end == start {
            self.body_at = Some(self.at);
            return None;
        }
        Some(Line { start, end })
    }
}

pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The range without blanks at both ends.
#[inline]
pub(super) fn trim(bytes: &[u8], mut start: usize, mut end: usize) -> (usize, usize) {
    while start < end && is_blank(bytes[start]) {
        start += 1;
    }
    while end > start && is_blank(bytes[end - 1]) {
        end -= 1;
    }
    (start, end)
}

/// A copy of a head with every folded line in one (RFC 3261 7.3.1), and where the body of the
/// original begins.
pub(super) fn unfold(bytes: &[u8], at: usize) -> (Vec<u8>, Option<usize>) {
    let mut head = Vec::with_capacity(bytes.len().min(4096));
    let mut lines = Lines::new(bytes, at);
    let mut is_first = true;
    for line in lines.by_ref() {
        let (start, end) = trim(bytes, line.start, line.end);
        let is_folded = !is_first && start > line.start;
        if is_folded {
            let kept = trim(&head, 0, head.len()).1;
            head.truncate(kept);
            head.push(b' ');
            head.extend_from_slice(&bytes[start..end]);
        } else {
            if !is_first {
                head.extend_from_slice(b"\r\n");
            }
            // The first line keeps its blanks: they make it malformed.
            let end = if is_first { line.end } else { end };
            head.extend_from_slice(&bytes[line.start..end]);
        }
        is_first = false;
    }
    head.extend_from_slice(b"\r\n");
    if lines.body_at.is_some() {
        head.extend_from_slice(b"\r\n");
    }
    (head, lines.body_at)
}

/// Where the first line begins: blank lines before it are ignored (RFC 3261 7.5).
pub(super) fn skip_blank_lines(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len())
}

const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        table[at] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
        at += 1;
    }
    table
};

/// RFC 3261 25.1: a character of a token.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    TOKEN[byte as usize]
}

/// RFC 3261 25.1: a token, not empty.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| is_token_byte(*byte))
}
