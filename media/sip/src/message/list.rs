//! Splitting a line of several values.

use memchr::memchr;

/// Calls `each` with the range of every value between the commas that are outside quotes and
/// angle brackets. Ranges are not trimmed, and may be empty.
pub(super) fn split(bytes: &[u8], mut each: impl FnMut(usize, usize)) {
    if memchr(b',', bytes).is_none() {
        return each(0, bytes.len());
    }
    let (mut start, mut at) = (0, 0);
    let mut is_bracketed = false;
    while at < bytes.len() {
        match bytes[at] {
            b'"' if !is_bracketed => at = closing_quote(bytes, at).unwrap_or(bytes.len()),
            b'<' => is_bracketed = true,
            b'>' => is_bracketed = false,
            b',' if !is_bracketed => {
                each(start, at);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    each(start, bytes.len());
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
