//! Where everything of a head is. Reading goes on behind a fault, so that a malformed request
//! can still be answered.

use memchr::{memchr, memchr_iter};
use smallvec::SmallVec;

use super::error::Fault;
use super::lines::{Line, Lines, is_blank, is_token, trim};
use super::name::Name;
use super::start::{self, Span, Start};

/// More lines than any real message has; a guard against work without end (S17).
const MAX_LINES: usize = 256;

/// Spans hold 32 bits; nothing near that is ever framed.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// One header line, folded ones joined.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) known: Option<Name>,
    name_length: u16,
    name_at: u32,
    pub(super) value: Span,
}

impl Entry {
    pub(super) const fn name(&self) -> Span {
        Span { start: self.name_at, end: self.name_at + self.name_length as u32 }
    }
}

pub(super) struct Index {
    /// What could be read of the start line.
    pub(super) start: Option<Start>,
    /// Whether the first line is a Status-Line, well-formed or not.
    pub(super) is_response: bool,
    pub(super) entries: SmallVec<[Entry; 24]>,
    pub(super) body_at: Option<usize>,
    pub(super) content_length: Option<usize>,
    /// What was wrong first.
    pub(super) fault: Option<Fault>,
}

/// A line continues the one before; unfold the head and index the copy.
pub(super) struct Folded;

impl Index {
    /// The index of nothing yet.
    pub(super) fn empty() -> Self {
        Self {
            start: None,
            is_response: false,
            entries: SmallVec::new(),
            body_at: None,
            content_length: None,
            fault: None,
        }
    }

    /// Indexes the head that begins at `at`. Filled in place: an index is large to move.
    pub(super) fn fill(&mut self, bytes: &[u8], at: usize) -> Result<(), Folded> {
        self.is_response = bytes[at..].get(..4).is_some_and(|b| b.eq_ignore_ascii_case(b"SIP/"));
        let mut lines = Lines::new(bytes, at);
        match lines.next() {
            Some(line) => match start::read(&bytes[line.start..line.end], line.start) {
                Ok(start) => self.start = Some(start),
                Err(fault) => self.blame(fault),
            },
            None => self.blame(Fault::bad("Empty message")),
        }
        for line in lines.by_ref() {
            if is_blank(bytes[line.start]) {
                return Err(Folded);
            }
            self.header(bytes, line);
            if self.entries.len() > MAX_LINES {
                self.blame(Fault::bad("Too many header fields"));
                break;
            }
        }
        self.body_at = lines.body_at;
        let head = &bytes[at..lines.body_at.unwrap_or(bytes.len())];
        if lines.body_at.is_none() {
            self.blame(Fault::bad("Message ends within its header"));
        } else if memchr_iter(b'\r', head).count() != lines.carriage_returns {
            self.blame(Fault::bad("Carriage return within a line"));
        }
        Ok(())
    }

    fn blame(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    #[inline]
    fn header(&mut self, bytes: &[u8], line: Line) {
        let text = &bytes[line.start..line.end];
        // In all that follows, not in the line: the first step of the search then finds it,
        // however long the line is.
        let colon = memchr(b':', &bytes[line.start..]).filter(|colon| *colon < text.len());
        let Some(colon) = colon else {
            return self.blame(Fault::bad("Malformed header field"));
        };
        let length = trim(text, 0, colon).1;
        let known = Name::find(&bytes[line.start..], length);
        if known.is_none() && !is_token(&text[..length]) {
            return self.blame(Fault::bad("Malformed header field"));
        }
        let Ok(name_length) = u16::try_from(length) else {
            return self.blame(Fault::bad("Header field name too long"));
        };
        let (start, end) = trim(bytes, line.start + colon + 1, line.end);
        let value = Span::new(start, end);
        self.entries.push(Entry { known, name_length, name_at: line.start as u32, value });
        if known == Some(Name::ContentLength) {
            self.length(&bytes[start..end]);
        }
    }

    /// One Content-Length, of digits only: anything else is an attempt to make two readers see
    /// two messages (RFC 4475 3.1.2.3, 3.3.9).
    fn length(&mut self, value: &[u8]) {
        if self.content_length.is_some() {
            return self.blame(Fault::bad("Several Content-Length"));
        }
        match digits(value) {
            Some(length) => self.content_length = Some(length),
            None => self.blame(Fault::bad("Malformed Content-Length")),
        }
    }
}

/// A length in bytes; nothing that could not be framed anyway.
pub(super) fn digits(value: &[u8]) -> Option<usize> {
    if value.is_empty() || value.len() > 10 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let length = value.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    usize::try_from(length).ok()
}
