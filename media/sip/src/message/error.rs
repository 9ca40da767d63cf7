//! Why a message is of no use.

use super::draft::Draft;

/// What is wrong with a message, and the answer to it, if it is a request that can be answered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{fault}")]
pub struct ParseError {
    fault: Fault,
    answer: Option<Box<Draft>>,
}

/// A status code and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Fault {
    pub(super) status: u16,
    pub(super) reason: &'static str,
}

impl Fault {
    /// RFC 3261 21.4.1.
    pub(super) const fn bad(reason: &'static str) -> Self {
        Self { status: 400, reason }
    }
}

impl ParseError {
    pub(super) fn new(fault: Fault, answer: Option<Draft>) -> Self {
        Self { fault, answer: answer.map(Box::new) }
    }

    /// The status code to answer with.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.fault.status
    }

    /// What is wrong, in words fit for a reason phrase.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.fault.reason
    }

    /// The answer to a request whose Via could be read, with what else could be read. Nothing
    /// for a response, nor for an ACK: these are never answered.
    #[must_use]
    pub fn answer(&self) -> Option<Draft> {
        self.answer.as_deref().cloned()
    }
}
