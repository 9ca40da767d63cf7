//! Cutting a byte stream into messages (RFC 3261 18.3) and keep-alives (RFC 5626 4.4.1).

use bytes::{Buf, Bytes, BytesMut};

use super::draft::Draft;
use super::index::digits;
use super::lines::{Lines, is_blank, trim};
use super::parsed::Message;

/// What a peer may send before we stop to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest message, head and body, in bytes.
    pub message: usize,
}

impl Default for Limits {
    /// As much as a datagram can hold.
    fn default() -> Self {
        Self { message: 65_535 }
    }
}

/// What has come out of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One message; not yet read.
    Message(Bytes),
    /// Two line ends: the peer wants to know whether we are there.
    Ping,
    /// One line end: the answer to a ping of ours.
    Pong,
}

/// Where the next message begins cannot be known any more: answer, and close the connection.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FrameError {
    /// The message is longer than the limit.
    #[error("the message is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
        /// What can be said to the sender, if its head has come.
        answer: Option<Box<Draft>>,
    },
    /// No Content-Length, or one that is not a number, or several.
    #[error("the message has no usable content length")]
    Length {
        /// What can be said to the sender.
        answer: Option<Box<Draft>>,
    },
}

impl FrameError {
    /// The answer to the request that could not be framed, if there is one.
    #[must_use]
    pub fn answer(&self) -> Option<Draft> {
        match self {
            Self::TooLarge { answer, .. } | Self::Length { answer } => answer.as_deref().cloned(),
        }
    }
}

/// Cuts a byte stream into messages, whatever the pieces that it comes in.
#[derive(Debug)]
pub struct Framer {
    limits: Limits,
    buffer: BytesMut,
    /// Bytes that hold no end of a head.
    scanned: usize,
    /// The whole length of the message that is coming, once its head is there.
    expected: Option<usize>,
    pings: u32,
    broken: Option<FrameError>,
}

impl Framer {
    /// A framer of a new connection.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, buffer: BytesMut::new(), scanned: 0, expected: None, pings: 0, broken: None }
    }

    /// We have sent a ping: the next single line end is its answer.
    pub fn pinged(&mut self) {
        self.pings = self.pings.saturating_add(1);
    }

    /// Takes what has come. Nothing more is kept once the stream is broken.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next whole thing, or nothing yet.
    ///
    /// # Errors
    /// The stream cannot be cut any more; every later call says the same.
    #[expect(clippy::should_implement_trait, reason = "it ends only with its stream")]
    pub fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let next = self.cut();
        if let Err(error) = &next {
            self.broken = Some(error.clone());
            self.buffer = BytesMut::new();
        }
        next
    }

    fn cut(&mut self) -> Result<Option<Frame>, FrameError> {
        if self.expected.is_none() {
            if let Some(frame) = self.line_ends() {
                return Ok(Some(frame));
            }
            if self.buffer.first().is_none_or(|byte| matches!(byte, b'\r' | b'\n')) {
                return Ok(None);
            }
        }
        let length = match self.expected {
            Some(length) => length,
            None => match self.head_end() {
                Some(head) => self.measure(head)?,
                None if self.buffer.len() > self.limits.message => {
                    return Err(FrameError::TooLarge { limit: self.limits.message, answer: None });
                }
                None => return Ok(None),
            },
        };
        if self.buffer.len() < length {
            self.expected = Some(length);
            return Ok(None);
        }
        // A copy of its own, so that a message that is kept does not keep the whole buffer.
        let message = Bytes::copy_from_slice(&self.buffer[..length]);
        self.buffer.advance(length);
        (self.expected, self.scanned) = (None, 0);
        Ok(Some(Frame::Message(message)))
    }

    /// Line ends between messages. One alone waits for what comes next, unless we have pinged.
    fn line_ends(&mut self) -> Option<Frame> {
        loop {
            match &self.buffer[..] {
                [b'\r', b'\n', ..] if self.pings > 0 => {
                    self.pings -= 1;
                    self.buffer.advance(2);
                    return Some(Frame::Pong);
                }
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.buffer.advance(4);
                    return Some(Frame::Ping);
                }
                [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] | [b'\r'] | [] => return None,
                // RFC 3261 7.5: other line ends before a message mean nothing.
                [b'\r' | b'\n', ..] => self.buffer.advance(1),
                _ => return None,
            }
        }
    }

    /// Where the body begins. Looks at every byte once, however the stream is cut.
    fn head_end(&mut self) -> Option<usize> {
        let from = self.scanned.saturating_sub(2);
        for at in memchr::memchr_iter(b'\n', &self.buffer[from..]) {
            match &self.buffer[from + at + 1..] {
                [b'\n', ..] => return Some(from + at + 2),
                [b'\r', b'\n', ..] => return Some(from + at + 3),
                _ => {}
            }
        }
        self.scanned = self.buffer.len();
        None
    }

    /// The length of the whole message whose head has come.
    fn measure(&self, head: usize) -> Result<usize, FrameError> {
        let limit = self.limits.message;
        let length = content_length(&self.buffer[..head]);
        let whole = length.and_then(|length| head.checked_add(length));
        match whole {
            Some(whole) if whole <= limit => Ok(whole),
            Some(_) => Err(FrameError::TooLarge { limit, answer: self.refusal(head, 513) }),
            None => Err(FrameError::Length { answer: self.refusal(head, 400) }),
        }
    }

    fn refusal(&self, head: usize, status: u16) -> Option<Box<Draft>> {
        let raw = Bytes::copy_from_slice(&self.buffer[..head]);
        let draft = match Message::parse(raw) {
            Ok(message) => message.refusal(status),
            Err(error) => error.answer().map(|answer| answer.with_status(status)),
        };
        draft.map(Box::new)
    }
}

/// The one Content-Length of a head.
fn content_length(head: &[u8]) -> Option<usize> {
    let mut found = None;
    let mut lines = Lines::new(head, 0).skip(1).peekable();
    while let Some(line) = lines.next() {
        let text = &head[line.start..line.end];
        let Some(colon) = memchr::memchr(b':', text) else { continue };
        let name = text[..colon].trim_ascii_end();
        if !name.eq_ignore_ascii_case(b"Content-Length") && !name.eq_ignore_ascii_case(b"l") {
            continue;
        }
        let mut value = &head[line.start + colon + 1..line.end];
        while let Some(next) = lines.next_if(|next| is_blank(head[next.start])) {
            let (start, end) = trim(head, next.start, next.end);
            match (value.trim_ascii().is_empty(), start == end) {
                (true, _) => value = &head[start..end],
                (false, true) => {}
                (false, false) => return None,
            }
        }
        if found.is_some() {
            return None;
        }
        found = Some(digits(value.trim_ascii())?);
    }
    found
}
