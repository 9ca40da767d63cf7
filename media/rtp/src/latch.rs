//! Which source address of a leg's media is believed (symmetric RTP, RFC 4961).
//!
//! A phone behind a NAT sends from another address than it says, so the first packets teach the
//! address. Whoever can guess a port must not be able to take a call over, so:
//!
//! 1. The described address wins: one packet from it locks to it.
//! 2. Else the source that sent most of the first five packets is locked, the first at a draw.
//! 3. A locked source stays. Other sources are refused.
//! 4. [`Latch::relearn`] after an offer or answer that names a new address begins again.
//! 5. A NAT that gives the phone a new port is followed when the locked source has been silent
//!    for two seconds and the new one goes on with the same SSRC, which an outsider cannot know.
//!
//! With SRTP only authenticated packets are shown to the latch.

use std::net::SocketAddr;
use std::time::Duration;

use smallvec::SmallVec;
use tandem_kernel::Timestamp;

/// The packets that may teach the address.
pub const LEARNING_PACKETS: u8 = 5;
/// How long a locked source must be silent before rule 5 counts.
pub const SILENCE: Duration = Duration::from_secs(2);

/// What is to be done with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is from our peer.
    Accept,
    /// It is from our peer, and our packets now go to its source.
    Moved,
    /// It is dropped and counted.
    Refuse,
}

/// The belief about one leg's source address.
#[derive(Clone, Debug)]
pub struct Latch {
    described: SocketAddr,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Learning { seen: SmallVec<[(SocketAddr, u8); 5]>, best: Option<SocketAddr> },
    Locked { source: SocketAddr, ssrc: u32, heard: Timestamp },
}

impl Latch {
    /// Begins to learn; `described` is the address of the session description.
    #[must_use]
    pub fn new(described: SocketAddr) -> Self {
        Self { described, state: State::learning() }
    }

    /// Begins again after the description changed; the same description changes nothing.
    pub fn relearn(&mut self, described: SocketAddr) {
        if described != self.described {
            *self = Self::new(described);
        }
    }

    /// Where our packets go.
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        match &self.state {
            State::Learning { best, .. } => best.unwrap_or(self.described),
            State::Locked { source, .. } => *source,
        }
    }

    /// Whether the source is locked.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        matches!(self.state, State::Locked { .. })
    }

    /// Judges a packet that is valid RTP (and authenticated, with SRTP).
    pub fn on_packet(&mut self, now: Timestamp, source: SocketAddr, ssrc: u32) -> Verdict {
        let before = self.remote();
        let accepted = match &mut self.state {
            State::Locked { source: locked, ssrc: known, heard } if *locked == source => {
                (*known, *heard) = (ssrc, now);
                true
            }
            State::Locked { ssrc: known, heard, .. } => {
                let is_rebound = *known == ssrc && now.since(*heard) >= SILENCE;
                if is_rebound {
                    self.state = State::Locked { source, ssrc, heard: now };
                }
                is_rebound
            }
            State::Learning { .. } => self.learn(now, source, ssrc),
        };
        match (accepted, self.remote() == before) {
            (false, _) => Verdict::Refuse,
            (true, true) => Verdict::Accept,
            (true, false) => Verdict::Moved,
        }
    }

    fn learn(&mut self, now: Timestamp, source: SocketAddr, ssrc: u32) -> bool {
        let State::Learning { seen, best } = &mut self.state else { return false };
        if source == self.described {
            self.state = State::Locked { source, ssrc, heard: now };
            return true;
        }
        match seen.iter_mut().find(|(known, _)| *known == source) {
            Some((_, count)) => *count += 1,
            None => seen.push((source, 1)),
        }
        let count_of = |(_, count): &(SocketAddr, u8)| *count;
        let total: u8 = seen.iter().map(count_of).sum();
        let most = seen.iter().map(count_of).max().unwrap_or(0);
        let leader = seen.iter().find(|(_, count)| *count == most).map(|(source, _)| *source);
        *best = leader;
        if let (Some(leader), true) = (leader, total >= LEARNING_PACKETS) {
            self.state = State::Locked { source: leader, ssrc, heard: now };
        }
        leader == Some(source)
    }
}

impl State {
    fn learning() -> Self {
        Self::Learning { seen: SmallVec::new(), best: None }
    }
}
