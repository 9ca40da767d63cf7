//! Phones that were seen elsewhere than they said, before they had proved who they are: the
//! challenge says by which address they are seen (RFC 3581 4), and many say nothing else from then
//! on.

use tandem_kernel::Newest;

/// How many are remembered; the oldest is forgotten.
const MOST: usize = 4_096;

/// The longest Call-ID that is remembered, in bytes.
const LONGEST: usize = 256;

/// The Call-IDs of their REGISTERs, which stay the same (RFC 3261 10.2).
#[derive(Debug, Default)]
pub(super) struct Challenged {
    known: Newest<String, (), MOST>,
}

impl Challenged {
    pub(super) fn note(&mut self, call_id: &str) {
        if call_id.len() <= LONGEST {
            self.known.entry(call_id.to_owned(), || ());
        }
    }

    pub(super) fn has(&self, call_id: &str) -> bool {
        self.known.has(call_id)
    }
}
