//! Traces of calls in memory: the SIP ladder, decisions and media figures of the newest calls.
//!
//! Bounded: the oldest call is forgotten first, and no call keeps more than its share.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use parking_lot::Mutex;
use tandem_kernel::{CallId, Clock, Timestamp};
use tandem_sip::net::{Direction, TapRecord};

use crate::office::TraceItem;

/// How many SIP dialogs are remembered; a queue call has a handful.
const MAX_DIALOGS: usize = 4_000;
/// How many calls are remembered.
const MAX_CALLS: usize = 2_000;
/// How many messages of one dialog, and notes of one call, are kept.
const MAX_ITEMS: usize = 200;

struct Wire {
    at: Timestamp,
    received: bool,
    peer: String,
    raw: Bytes,
}

#[derive(Default)]
struct Notes {
    dialogs: Vec<String>,
    items: Vec<TraceItem>,
}

#[derive(Default)]
struct Memory {
    dialogs: HashMap<String, Vec<Wire>>,
    dialog_order: VecDeque<String>,
    calls: HashMap<CallId, Notes>,
    call_order: VecDeque<CallId>,
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
    pub fn tap(&self, record: &TapRecord) {
        let mut memory = self.memory.lock();
        let known = memory.dialogs.contains_key(&record.call_id);
        if !known {
            if !record.raw.starts_with(b"INVITE ") {
                return;
            }
            if memory.dialog_order.len() >= MAX_DIALOGS
                && let Some(oldest) = memory.dialog_order.pop_front()
            {
                memory.dialogs.remove(&oldest);
            }
            memory.dialog_order.push_back(record.call_id.clone());
        }
        let messages = memory.dialogs.entry(record.call_id.clone()).or_default();
        if messages.len() < MAX_ITEMS {
            messages.push(Wire {
                at: self.clock.now(),
                received: record.direction == Direction::Received,
                peer: format!("{} {}", record.transport, record.flow.remote()),
                raw: Bytes::copy_from_slice(&record.raw),
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
        self.add(call, TraceItem::Decision { at, code: code.to_owned(), detail });
    }

    /// Notes media figures.
    pub fn add(&self, call: CallId, item: TraceItem) {
        let mut memory = self.memory.lock();
        let notes = memory.notes(call);
        if notes.items.len() < MAX_ITEMS {
            notes.items.push(item);
        }
    }

    /// Everything that is remembered of a call, in order of time.
    #[must_use]
    pub fn of(&self, call: CallId) -> Option<Vec<TraceItem>> {
        let memory = self.memory.lock();
        let notes = memory.calls.get(&call)?;
        let mut items = notes.items.clone();
        for dialog in &notes.dialogs {
            items.extend(memory.dialogs.get(dialog).into_iter().flatten().map(shown));
        }
        items.sort_by_key(at);
        Some(items)
    }
}

impl Memory {
    fn notes(&mut self, call: CallId) -> &mut Notes {
        if !self.calls.contains_key(&call) {
            if self.call_order.len() >= MAX_CALLS
                && let Some(oldest) = self.call_order.pop_front()
            {
                self.calls.remove(&oldest);
            }
            self.call_order.push_back(call);
        }
        self.calls.entry(call).or_default()
    }
}

fn at(item: &TraceItem) -> Timestamp {
    match item {
        TraceItem::Sip { at, .. }
        | TraceItem::Decision { at, .. }
        | TraceItem::Media { at, .. } => *at,
    }
}

fn shown(wire: &Wire) -> TraceItem {
    let text = masked(&String::from_utf8_lossy(&wire.raw));
    TraceItem::Sip {
        at: wire.at,
        received: wire.received,
        peer: wire.peer.clone(),
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
