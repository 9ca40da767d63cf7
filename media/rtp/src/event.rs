//! Digits as telephone events (RFC 4733).

use std::collections::VecDeque;
use std::time::Duration;

use smallvec::SmallVec;
use tandem_kernel::Timestamp;

/// The digits of events 0–15.
const DIGITS: [char; 16] =
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];
/// Events are sent in steps of this.
const STEP_MS: u32 = 20;
/// How long a digit that we send lasts.
const TONE_MS: u32 = 120;
/// The pause after a digit that we send (Q.24 wants 40 ms at least).
const PAUSE_MS: u32 = 80;
/// The end of an event is sent so often (RFC 4733 2.5.1.4).
const END_PACKETS: u8 = 3;
/// The power of our events, in -dBm0.
const VOLUME: u8 = 10;
/// An event whose end was lost is over after this silence.
const LOST_END: Duration = Duration::from_millis(200);
/// The most digits that wait to be sent.
const MAX_QUEUE: usize = 64;

/// A digit that was received whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digit {
    /// `0`–`9`, `*`, `#`, `A`–`D`.
    pub digit: char,
    /// How long it lasted, in ms.
    pub duration_ms: u32,
}

/// The digit of an event code.
#[must_use]
pub fn digit_of(code: u8) -> Option<char> {
    DIGITS.get(usize::from(code)).copied()
}

/// The event code of a digit, in either case.
#[must_use]
pub fn code_of(digit: char) -> Option<u8> {
    let digit = digit.to_ascii_uppercase();
    DIGITS.iter().position(|known| *known == digit).and_then(|code| u8::try_from(code).ok())
}

/// A packet to send: its timestamp is the event's start, whatever the audio's is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventPacket {
    /// The timestamp of the whole event.
    pub timestamp: u32,
    /// Set on the first packet of an event.
    pub marker: bool,
    /// The four bytes of RFC 4733 2.3.
    pub payload: [u8; 4],
}

/// Sends digits as events, one packet for each 20 ms tick.
#[derive(Clone, Debug)]
pub struct EventSender {
    clock_rate: u32,
    queue: VecDeque<u8>,
    state: Sending,
}

#[derive(Clone, Copy, Debug)]
enum Sending {
    Idle,
    Tone { code: u8, start: u32, sent_ms: u32, ends: u8 },
    Pause { left_ms: u32 },
}

impl EventSender {
    /// A sender of events with this clock, in Hz.
    #[must_use]
    pub const fn new(clock_rate: u32) -> Self {
        Self { clock_rate, queue: VecDeque::new(), state: Sending::Idle }
    }

    /// Queues a digit; false for what is no digit, or when too many wait.
    pub fn push(&mut self, digit: char) -> bool {
        let Some(code) = code_of(digit) else { return false };
        if self.queue.len() >= MAX_QUEUE {
            return false;
        }
        self.queue.push_back(code);
        true
    }

    /// Whether nothing is being sent and nothing waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && matches!(self.state, Sending::Idle)
    }

    /// Does one tick of 20 ms; `timestamp` is the stream's at this moment.
    ///
    /// While this gives a packet it takes the place of the audio. The first packet of an event
    /// already covers one tick; the end packets repeat the last duration.
    pub fn tick(&mut self, timestamp: u32) -> Option<EventPacket> {
        if let Sending::Pause { left_ms } = self.state {
            self.state = match left_ms.saturating_sub(STEP_MS) {
                0 => Sending::Idle,
                left_ms => Sending::Pause { left_ms },
            };
            return None;
        }
        let (code, start, sent_ms, ends) = match self.state {
            Sending::Tone { code, start, sent_ms, ends } => (code, start, sent_ms, ends),
            Sending::Idle | Sending::Pause { .. } => (self.queue.pop_front()?, timestamp, 0, 0),
        };
        let now_ms = (sent_ms + STEP_MS).min(TONE_MS);
        let is_end = now_ms == TONE_MS;
        let ends = ends + u8::from(is_end);
        self.state = if ends == END_PACKETS {
            Sending::Pause { left_ms: PAUSE_MS }
        } else {
            Sending::Tone { code, start, sent_ms: now_ms, ends }
        };
        let duration = u16::try_from(now_ms * self.clock_rate / 1_000).unwrap_or(u16::MAX);
        let [high, low] = duration.to_be_bytes();
        let payload = [code, (u8::from(is_end) << 7) | VOLUME, high, low];
        Some(EventPacket { timestamp: start, marker: sent_ms == 0, payload })
    }
}

/// Receives events: each is told once, at its end or when its end is lost.
#[derive(Clone, Debug)]
pub struct EventReceiver {
    clock_rate: u32,
    current: Option<Event>,
    /// The timestamp of the newest event that was told.
    told: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Event {
    code: u8,
    timestamp: u32,
    duration: u32,
    /// Duration of earlier segments of a long event (RFC 4733 2.5.1.3).
    before: u32,
    seen: Timestamp,
}

impl EventReceiver {
    /// A receiver of events with this clock, in Hz.
    #[must_use]
    pub const fn new(clock_rate: u32) -> Self {
        Self { clock_rate, current: None, told: None }
    }

    /// Takes the payload of an event packet; gives the digits that are now complete.
    pub fn on_packet(
        &mut self,
        now: Timestamp,
        timestamp: u32,
        payload: &[u8],
    ) -> SmallVec<[Digit; 2]> {
        let mut digits = SmallVec::new();
        let Some(&[code, flags, high, low]) = payload.first_chunk::<4>() else { return digits };
        let duration = u32::from(u16::from_be_bytes([high, low]));
        let is_old = |told: u32| (timestamp.wrapping_sub(told) as i32) <= 0;
        if self.told.is_some_and(is_old) {
            return digits;
        }
        let mut event = Event { code, timestamp, duration, before: 0, seen: now };
        match self.current {
            Some(current) if current.timestamp == timestamp => {
                event.duration = duration.max(current.duration);
                event.before = current.before;
            }
            Some(current) if (timestamp.wrapping_sub(current.timestamp) as i32) < 0 => {
                return digits;
            }
            Some(current) if current.continues_at(code, timestamp) => {
                event.before = current.before + current.duration;
            }
            Some(current) => digits.extend(self.tell(&current)),
            None => {}
        }
        if flags & 0x80 == 0 {
            self.current = Some(event);
        } else {
            self.current = None;
            digits.extend(self.tell(&event));
        }
        digits
    }

    /// Gives the digit whose end was lost, once it has been silent for long enough.
    pub fn poll(&mut self, now: Timestamp) -> Option<Digit> {
        let current = self.current?;
        if now.since(current.seen) < LOST_END {
            return None;
        }
        self.current = None;
        self.tell(&current)
    }

    fn tell(&mut self, event: &Event) -> Option<Digit> {
        self.told = Some(event.timestamp);
        let units = u64::from(event.before) + u64::from(event.duration);
        let duration_ms = (units * 1_000 / u64::from(self.clock_rate.max(1))) as u32;
        Some(Digit { digit: digit_of(event.code)?, duration_ms })
    }
}

impl Event {
    /// A long event goes on in a new segment where its largest duration ended.
    fn continues_at(&self, code: u8, timestamp: u32) -> bool {
        self.code == code
            && self.duration >= 0xf000
            && timestamp.wrapping_sub(self.timestamp) == self.duration
    }
}
