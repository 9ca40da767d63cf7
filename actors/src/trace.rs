//! Traces of calls in memory: the SIP ladder, decisions and media figures of the newest calls.
//!
//! Bounded: the oldest call is forgotten first, and no call keeps more than its share.

use std::net::SocketAddr;

use parking_lot::Mutex;
use tandem_engine::LegStats;
use tandem_kernel::{CallId, Clock, Newest, Timestamp};
use tandem_sip::net::{Direction, TapRecord, Transport};

use crate::call::machine::LegIndex;
use crate::office::TraceItem;

/// How many SIP dialogs are remembered; a queue call has a handful.
const MAX_DIALOGS: usize = 4_000;
/// How many calls are remembered.
const MAX_CALLS: usize = 2_000;
/// The messages of a plain call's dialog.
const MESSAGES: usize = 8;
/// How many messages of one dialog, and notes of one call, are kept.
const MAX_ITEMS: usize = 200;

struct Wire {
    at: Timestamp,
    received: bool,
    transport: Transport,
    peer: SocketAddr,
    raw: Box<[u8]>,
}

#[derive(Default)]
struct Notes {
    dialogs: Vec<String>,
    items: Vec<Note>,
}

/// What is noted of a call, kept small: most traces are never looked at.
enum Note {
    Decision { at: Timestamp, code: Box<str>, detail: Box<str> },
    Media { at: Timestamp, leg: LegIndex, stats: Box<LegStats> },
}

#[derive(Default)]
struct Memory {
    dialogs: Newest<String, Vec<Wire>, MAX_DIALOGS>,
    calls: Newest<CallId, Notes, MAX_CALLS>,
}

/// The traces of one node.
pub struct Traces {
    clock: Clock,
    memory: Mutex<Memory>,
}

impl Traces {
    /// No traces yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, memory: Mutex::new(Memory::default()) }
    }

    /// Takes a message from the endpoint's tap. Only dialogs that began with an INVITE count.
    pub fn tap(&self, record: &TapRecord<'_>) {
        let mut memory = self.memory.lock();
        let Some(messages) = memory.messages(record) else { return };
        if messages.len() < MAX_ITEMS {
            messages.push(Wire {
                at: self.clock.now(),
                received: record.direction == Direction::Received,
                transport: record.transport,
                peer: record.flow.remote(),
                // No part of a larger buffer, which it would keep.
                raw: record.raw[..].into(),
            });
        }
    }

    /// Says which dialog belongs to a call.
    pub fn dialog(&self, call: CallId, sip_call_id: &str) {
        let mut memory = self.memory.lock();
        let notes = memory.notes(call);
        if !notes.dialogs.iter().any(|known| known == sip_call_id) {
            notes.dialogs.push(sip_call_id.to_owned());
        }
    }

    /// Notes a decision.
    pub fn decision(&self, call: CallId, code: &str, detail: String) {
        let at = self.clock.now();
        self.add(call, Note::Decision { at, code: code.into(), detail: detail.into() });
    }

    /// Notes the media figures of a leg.
    pub fn media(&self, call: CallId, leg: LegIndex, stats: LegStats) {
        let at = self.clock.now();
        self.add(call, Note::Media { at, leg, stats: Box::new(stats) });
    }

    fn add(&self, call: CallId, note: Note) {
        let mut memory = self.memory.lock();
        let notes = memory.notes(call);
        if notes.items.len() < MAX_ITEMS {
            notes.items.push(note);
        }
    }

    /// Everything that is remembered of a call, in order of time.
    #[must_use]
    pub fn of(&self, call: CallId) -> Option<Vec<TraceItem>> {
        let memory = self.memory.lock();
        let notes = memory.calls.get(&call)?;
        let mut items: Vec<TraceItem> = notes.items.iter().map(Note::shown).collect();
        for dialog in &notes.dialogs {
            items.extend(memory.dialogs.get(dialog).into_iter().flatten().map(shown));
        }
        items.sort_by_key(at);
        Some(items)
    }
}

impl Memory {
    /// The messages of a dialog, if it is remembered or begins.
    fn messages(&mut self, record: &TapRecord<'_>) -> Option<&mut Vec<Wire>> {
        if !self.dialogs.has(record.call_id) {
            if !record.raw.starts_with(b"INVITE ") {
                return None;
            }
            let begin = || Vec::with_capacity(MESSAGES);
            return Some(self.dialogs.entry(record.call_id.to_owned(), begin));
        }
        self.dialogs.get_mut(record.call_id)
    }

    fn notes(&mut self, call: CallId) -> &mut Notes {
        self.calls.entry(call, Notes::default)
    }
}

fn at(item: &TraceItem) -> Timestamp {
    match item {
        TraceItem::Sip { at, .. }
        | TraceItem::Decision { at, .. }
        | TraceItem::Media { at, .. } => *at,
    }
}

impl Note {
    fn shown(&self) -> TraceItem {
        match self {
            Self::Decision { at, code, detail } => {
                let (code, detail) = (code.to_string(), detail.to_string());
                TraceItem::Decision { at: *at, code, detail }
            }
            Self::Media { at, leg, stats } => media_item(*at, *leg, stats),
        }
    }
}

/// The media figures of a leg as a trace shows them.
pub(crate) fn media_item(at: Timestamp, leg: LegIndex, stats: &LegStats) -> TraceItem {
    let value = |name: &str, value: String| (name.to_owned(), value);
    TraceItem::Media {
        at,
        leg,
        values: vec![
            value("codec", stats.codec.map_or("none", |codec| codec.name()).to_owned()),
            value("remote", stats.remote.map_or_else(String::new, |remote| remote.to_string())),
            value("packets_received", stats.packets_received.to_string()),
            value("packets_sent", stats.packets_sent.to_string()),
            value("lost", stats.lost.to_string()),
            value("lost_by_remote", stats.lost_by_remote.to_string()),
            value("jitter_ms", format!("{:.1}", stats.jitter.as_secs_f64() * 1000.0)),
            value("mos", format!("{:.1}", stats.mos)),
            value("added_delay_ms", stats.added_delay.as_millis().to_string()),
            value("relayed", stats.is_relayed.to_string()),
        ],
    }
}

fn shown(wire: &Wire) -> TraceItem {
    let text = masked(&String::from_utf8_lossy(&wire.raw));
    TraceItem::Sip {
        at: wire.at,
        received: wire.received,
        peer: format!("{} {}", wire.transport, wire.peer),
        summary: text.lines().next().unwrap_or_default().to_owned(),
        text,
    }
}

/// Credentials and media keys are not for the eyes of who reads a trace.
fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "authorization" | "proxy-authorization" => {
                let header = line.split(':').next().unwrap_or_default();
                shown.push_str(header);
                shown.push_str(": (masked)\r\n");
            }
            _ => match line.split_once(" inline:") {
                Some((before, _)) if line.starts_with("a=crypto") => {
                    shown.push_str(before);
                    shown.push_str(" inline:(masked)\r\n");
                }
                _ => shown.push_str(line),
            },
        }
    }
    shown
}
