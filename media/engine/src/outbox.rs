//! Datagrams that a worker wants sent; the shell sends them and clears it.

use std::net::SocketAddr;

/// Which of a leg's two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// The even port.
    Rtp,
    /// The odd port.
    Rtcp,
}

/// One datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parcel<'a> {
    pub(crate) slot: u32,
    pub(crate) channel: Channel,
    pub(crate) to: SocketAddr,
    pub(crate) bytes: &'a [u8],
}

struct Entry {
    slot: u32,
    channel: Channel,
    to: SocketAddr,
    end: usize,
}

/// Datagrams in the order in which they are to be sent, in one allocation that is kept.
#[derive(Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl Outbox {
    /// Adds a datagram of what `write` appends to the buffer; nothing when it gives `None`.
    /// What stands in the buffer before the given start belongs to earlier datagrams.
    pub(crate) fn add<T>(
        &mut self,
        slot: u32,
        channel: Channel,
        to: SocketAddr,
        write: impl FnOnce(&mut Vec<u8>, usize) -> Option<T>,
    ) -> Option<T> {
        let start = self.bytes.len();
        let written = write(&mut self.bytes, start);
        if written.is_none() {
            self.bytes.truncate(start);
            return None;
        }
        self.entries.push(Entry { slot, channel, to, end: self.bytes.len() });
        written
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn parcels(&self) -> impl Iterator<Item = Parcel<'_>> {
        let mut start = 0;
        self.entries.iter().map(move |entry| {
            let bytes = &self.bytes[start..entry.end];
            start = entry.end;
            Parcel { slot: entry.slot, channel: entry.channel, to: entry.to, bytes }
        })
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }
}
