//! The calls of one thread, sans-IO: datagrams and time go in, datagrams come out.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tandem_kernel::{CallId, Timestamp};

use crate::mailbox::Command;
use crate::outbox::Outbox;
use crate::ports::PortPair;
use crate::scene::{Arrival, Scene, Tools};

/// A call is mixed in one of these slices of its 20 ms, so that a packet to relay waits for a
/// quarter of the mixing at most.
const SLICES_PER_FRAME: u64 = 4;
const SLICE: Duration = Duration::from_millis(5);
/// Each leg is looked after once in so many slices, 200 ms.
const SLICES_PER_ROUND: u64 = 40;
/// A worker that is later than this skips what it missed instead of sending it in a burst.
const MOST_BEHIND: u64 = 20;

/// What a command changed for the shell.
pub(crate) enum Change {
    None,
    /// The slot's sockets are to be watched.
    Opened(u32, PortPair),
    /// These slots' sockets are to be closed.
    Closed(Vec<u32>),
}

/// All calls whose ids hash to one worker.
pub(crate) struct Worker {
    calls: HashMap<CallId, u32>,
    scenes: Vec<Place>,
    free_scenes: Vec<u32>,
    /// Per pair of sockets: the scene, if it is in use.
    slots: Vec<Option<u32>>,
    free_slots: Vec<u32>,
    /// Slots of scenes that were given up.
    lost: Vec<u32>,
    tools: Tools,
    /// When the next slice is due, and its number.
    next: Option<(Timestamp, u64)>,
}

/// A scene, and whether it has work in each frame; apart from the scene, so that a slice does
/// not touch calls that are only relayed.
#[derive(Default)]
struct Place {
    is_active: bool,
    scene: Option<Box<Scene>>,
}

impl Default for Worker {
    fn default() -> Self {
        Self::new(StdRng::from_os_rng())
    }
}

impl Worker {
    pub(crate) fn new(rng: StdRng) -> Self {
        Self {
            calls: HashMap::new(),
            scenes: Vec::new(),
            free_scenes: Vec::new(),
            slots: Vec::new(),
            free_slots: Vec::new(),
            lost: Vec::new(),
            tools: Tools::new(rng),
            next: None,
        }
    }

    /// Legs that are open.
    pub(crate) fn legs(&self) -> usize {
        self.slots.len() - self.free_slots.len()
    }

    /// When [`Worker::slices`] is due; never while there are no legs.
    pub(crate) fn next_slice(&self) -> Option<Timestamp> {
        self.next.map(|(at, _)| at)
    }

    pub(crate) fn command(&mut self, now: Timestamp, command: Command, out: &mut Outbox) -> Change {
        if let Command::Open { leg, sink, ports } = command {
            let index = self.scene_of(leg.call);
            let slot = self.free_slots.pop().unwrap_or_else(|| {
                self.slots.push(None);
                (self.slots.len() - 1) as u32
            });
            let is_taken =
                self.scene(index, |scene, tools| scene.open(now, leg, slot, sink, tools));
            if is_taken != Some(true) {
                self.free_slots.push(slot);
                return Change::None;
            }
            self.slots[slot as usize] = Some(index);
            self.next.get_or_insert((now + SLICE, 0));
            return Change::Opened(slot, ports);
        }
        let call = command.call();
        let Some(&index) = self.calls.get(&call) else {
            command.refuse();
            return Change::None;
        };
        let done = self.scene(index, |scene, tools| {
            let closed = scene.command(now, command, tools, out);
            (closed, scene.is_empty())
        });
        let Some((closed, is_over)) = done else { return Change::None };
        if is_over {
            self.forget(call, index);
        }
        if closed.is_empty() {
            return Change::None;
        }
        self.free(&closed);
        Change::Closed(closed)
    }

    /// Works on one scene. One that panics, such as in a codec's library on a packet that
    /// nobody thought of, is given up; the others go on.
    fn scene<T>(
        &mut self,
        index: u32,
        work: impl FnOnce(&mut Scene, &mut Tools) -> T,
    ) -> Option<T> {
        let place = &mut self.scenes[index as usize];
        let scene = place.scene.as_mut()?;
        let tools = &mut self.tools;
        if let Ok(done) = catch_unwind(AssertUnwindSafe(|| work(scene, tools))) {
            place.is_active = scene.is_active();
            return Some(done);
        }
        let call = scene.call;
        tracing::error!(%call, "a media scene failed and is given up");
        let slots = scene.give_up();
        self.forget(call, index);
        self.free(&slots);
        self.lost.extend(slots);
        None
    }

    /// Slots whose scenes were given up: their sockets are to be closed.
    pub(crate) fn take_lost(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.lost)
    }

    fn forget(&mut self, call: CallId, index: u32) {
        self.calls.remove(&call);
        self.scenes[index as usize] = Place::default();
        self.free_scenes.push(index);
    }

    fn scene_of(&mut self, call: CallId) -> u32 {
        *self.calls.entry(call).or_insert_with(|| {
            let index = self.free_scenes.pop().unwrap_or_else(|| {
                self.scenes.push(Place::default());
                (self.scenes.len() - 1) as u32
            });
            self.scenes[index as usize].scene = Some(Box::new(Scene::new(call)));
            index
        })
    }

    fn free(&mut self, slots: &[u32]) {
        for &slot in slots {
            self.slots[slot as usize] = None;
            self.free_slots.push(slot);
        }
        if self.legs() == 0 {
            self.next = None;
        }
    }

    /// Tells the owner of a leg that it can not be served.
    pub(crate) fn fail(&mut self, slot: u32, why: &str) {
        if let Some(&Some(index)) = self.slots.get(slot as usize) {
            self.scene(index, |scene, _| scene.fail(slot, why));
        }
    }

    /// Takes one datagram; it is decrypted in place.
    pub(crate) fn packet_in(&mut self, arrival: &Arrival, bytes: &mut [u8], out: &mut Outbox) {
        if let Some(&Some(index)) = self.slots.get(arrival.slot as usize) {
            self.scene(index, |scene, tools| scene.packet_in(arrival, bytes, tools, out));
        }
    }

    /// Does the slices that are due; gives the number of those that were skipped.
    pub(crate) fn slices(&mut self, now: Timestamp, out: &mut Outbox) -> u64 {
        let Some((mut due, mut number)) = self.next else { return 0 };
        let mut skipped = 0;
        let behind = now.since(due).as_micros() as u64 / SLICE.as_micros() as u64;
        if behind > MOST_BEHIND {
            // Whole frames, so that no call's turn moves.
            skipped = behind / SLICES_PER_FRAME * SLICES_PER_FRAME;
            number += skipped;
            due = due + SLICE * u32::try_from(skipped).unwrap_or(u32::MAX);
        }
        while due <= now {
            self.slice(now, number, out);
            number += 1;
            due = due + SLICE;
        }
        self.next = Some((due, number));
        skipped
    }

    fn slice(&mut self, now: Timestamp, number: u64, out: &mut Outbox) {
        let first = (number % SLICES_PER_FRAME) as usize;
        for index in (first..self.scenes.len()).step_by(SLICES_PER_FRAME as usize) {
            if self.scenes[index].is_active {
                self.scene(index as u32, |scene, tools| scene.frame(now, tools, out));
            }
        }
        let first = (number % SLICES_PER_ROUND) as usize;
        for slot in (first..self.slots.len()).step_by(SLICES_PER_ROUND as usize) {
            if let Some(index) = self.slots[slot] {
                let slot = slot as u32;
                self.scene(index, |scene, tools| scene.look_after(now, slot, tools, out));
            }
        }
    }
}

#[cfg(test)]
mod tests;
