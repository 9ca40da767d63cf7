//! The calls of one thread, sans-IO: datagrams and time go in, datagrams come out.

use std::collections::HashMap;
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
            let place = &mut self.scenes[index as usize];
            let scene = place.scene.as_mut().expect("scene_of() puts one");
            if !scene.open(now, leg, slot, sink, &mut self.tools) {
                self.free_slots.push(slot);
                return Change::None;
            }
            self.slots[slot as usize] = Some(index);
            self.next.get_or_insert((now + SLICE, 0));
            return Change::Opened(slot, ports);
        }
        let Some(&index) = self.calls.get(&command.call()) else { return Change::None };
        let place = &mut self.scenes[index as usize];
        let scene = place.scene.as_mut().expect("the map names scenes that are there");
        let closed = scene.command(now, command, &mut self.tools, out);
        place.is_active = scene.is_active();
        if scene.is_empty() {
            self.calls.remove(&scene.call);
            *place = Place::default();
            self.free_scenes.push(index);
        }
        if closed.is_empty() {
            return Change::None;
        }
        self.free(&closed);
        Change::Closed(closed)
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
        if let Some(scene) = self.scene(slot) {
            scene.fail(slot, why);
        }
    }

    fn scene(&mut self, slot: u32) -> Option<&mut Scene> {
        let index = (*self.slots.get(slot as usize)?)?;
        self.scenes[index as usize].scene.as_deref_mut()
    }

    /// Takes one datagram; it is decrypted in place.
    pub(crate) fn packet_in(&mut self, arrival: &Arrival, bytes: &mut [u8], out: &mut Outbox) {
        let Some(&Some(index)) = self.slots.get(arrival.slot as usize) else { return };
        let place = &mut self.scenes[index as usize];
        let Some(scene) = place.scene.as_mut() else { return };
        scene.packet_in(arrival, bytes, &mut self.tools, out);
        place.is_active = scene.is_active();
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
        for place in self.scenes.iter_mut().skip(first).step_by(SLICES_PER_FRAME as usize) {
            if !place.is_active {
                continue;
            }
            let Some(scene) = &mut place.scene else { continue };
            scene.frame(now, &mut self.tools, out);
            place.is_active = scene.is_active();
        }
        let first = (number % SLICES_PER_ROUND) as usize;
        for slot in (first..self.slots.len()).step_by(SLICES_PER_ROUND as usize) {
            let Some(index) = self.slots[slot] else { continue };
            let place = &mut self.scenes[index as usize];
            let Some(scene) = &mut place.scene else { continue };
            scene.look_after(now, slot as u32, &mut self.tools, out);
            place.is_active = scene.is_active();
        }
    }
}

#[cfg(test)]
mod tests;
