//! What goes wrong, and the heal.

use std::time::Duration;

use rand::Rng;
use tandem_kernel::Timestamp;
use tandem_mesh::roster::Input;
use tandem_mesh::{ClusterId, Member, Roster, Standing, State};

use super::world::{Event, World};

/// The members, all of them voters by name: who votes in the model its group says.
pub(super) fn roster(members: u64) -> Roster {
    let named = |node: u64| (format!("node-{node}"), format!("10.0.0.{node}:7000"));
    let (name, address) = named(1);
    let (standing, state, key) = (Standing::Voter, State::Up, [1; 32]);
    let first = Member { node: 1, name, address, key, standing, state, boot: 0 };
    let mut roster = Roster::found(ClusterId(7), first);
    for node in 2..=members {
        let (name, address) = named(node);
        let key = [u8::try_from(node).unwrap(); 32];
        roster.step(Input::Join { name, address, key }).unwrap();
    }
    roster
}

impl World {
    /// One fault after the other, until the heal.
    pub(super) fn break_something(&mut self) {
        if self.is_healed {
            return;
        }
        let next = self.millis(200..4_000);
        self.later(next, Event::Fault);
        let id = self.any_member();
        self.report.faults += 1;
        match self.rng.random_range(0..16) {
            0..=1 => self.isolate(id),
            2 => self.split(),
            3..=4 => self.cut_one_way(id),
            5..=7 => self.crash(id),
            8..=9 => self.freeze(id),
            10 => self.slow_disk(id),
            11 => {
                self.network.lost_percent = self.rng.random_range(0..20);
                let percent = self.network.lost_percent;
                self.tell(format!("{percent} % of what is said is lost"));
            }
            12 => {
                let step = self.rng.random_range(-3_000_000..=3_000_000);
                let step = if self.chance(300) { step * 1_000 } else { step };
                self.of_mut(id).stepped = step;
                self.tell(format!("the clock of {id} is stepped by {step} us"));
            }
            13 => self.drain(id),
            _ => self.mend_network(),
        }
        self.note_whole();
    }

    fn isolate(&mut self, id: u64) {
        for other in 1..=self.plan.members {
            self.network.cuts.extend([(id, other), (other, id)]);
        }
        self.network.cuts.remove(&(id, id));
        self.tell(format!("{id} is cut off"));
    }

    /// Two sides, each of which hears only itself.
    fn split(&mut self) {
        let sides: Vec<bool> = (0..self.plan.members).map(|_| self.chance(400)).collect();
        let side = |id: u64| sides[usize::try_from(id).unwrap() - 1];
        for one in 1..=self.plan.members {
            for other in (1..=self.plan.members).filter(|other| side(*other) != side(one)) {
                self.network.cuts.insert((one, other));
            }
        }
        let one: Vec<u64> = (1..=self.plan.members).filter(|it| side(*it)).collect();
        self.tell(format!("{one:?} are cut from the others"));
    }

    /// It hears but is not heard, or the other way round, by one or by all.
    fn cut_one_way(&mut self, id: u64) {
        let (hears, all, some) = (self.chance(500), self.chance(500), self.any_member());
        for other in (1..=self.plan.members).filter(|other| *other != id) {
            if all || other == some {
                self.network.cuts.insert(if hears { (id, other) } else { (other, id) });
            }
        }
        let which = if hears { "is not heard" } else { "does not hear" };
        self.tell(format!("{id} {which} by {}", if all { "all".into() } else { some.to_string() }));
    }

    fn crash(&mut self, id: u64) {
        if !self.of(id).is_up {
            return;
        }
        self.of_mut(id).crash();
        self.talk_lost(id, None);
        self.report.crashes += 1;
        let back = self.millis(100..8_000);
        self.later(back, Event::Restart(id));
        self.tell(format!("{id} crashes"));
    }

    pub(super) fn restart(&mut self, id: u64) {
        if self.of(id).is_up {
            return;
        }
        self.tell(format!("{id} is started"));
        self.numbers += 1;
        let (boot, address) = (self.numbers, format!("10.0.0.{id}:7000"));
        self.roster.step(Input::Announce { node: id, address, boot }).unwrap();
        self.begin(id);
        self.note_whole();
    }

    fn freeze(&mut self, id: u64) {
        if !self.of(id).is_up {
            return;
        }
        let span = self.millis(100..6_000);
        let now = self.now;
        self.of_mut(id).frozen_until = now + span;
        self.report.freezes += 1;
        self.tell(format!("{id} is frozen for {span:?}"));
    }

    fn slow_disk(&mut self, id: u64) {
        self.of_mut(id).slowest_sync = self.millis(0..1_500);
        let slowest = self.of(id).slowest_sync;
        self.tell(format!("a sync of {id} takes up to {slowest:?}"));
    }

    fn drain(&mut self, id: u64) {
        let is_up = |it: &&Member| it.state == State::Up;
        if self.roster.active().filter(is_up).count() > 2 {
            self.roster.step(Input::Drain(id)).unwrap();
            self.tell(format!("{id} is drained"));
        }
    }

    fn mend_network(&mut self) {
        self.network.cuts.clear();
        self.network.lost_percent = 0;
        self.tell("the network is whole");
    }

    /// Notes since when the network is whole and all disks are quick.
    fn note_whole(&mut self) {
        let is_whole = self.network.cuts.is_empty() && self.network.lost_percent == 0;
        let is_quick = self.members.iter().all(|it| it.slowest_sync < Duration::from_millis(20));
        if !is_whole || !is_quick {
            self.network.whole_since = Timestamp::from_secs(u64::MAX / 4_000_000);
        } else if self.network.whole_since > self.now {
            // What a disk that was slow is at takes as long as before.
            let free = self.members.iter().map(|it| it.disk.free()).max();
            self.network.whole_since = self.now.max(free.unwrap_or_default());
        }
    }

    pub(super) fn heal(&mut self) {
        self.is_healed = true;
        self.tell("all is well again");
        self.mend_network();
        for id in 1..=self.plan.members {
            let now = self.now;
            let at = self.of_mut(id);
            at.slowest_sync = Duration::ZERO;
            at.frozen_until = at.frozen_until.min(now);
            self.restart(id);
            self.numbers += 1;
            let (boot, address) = (self.numbers, format!("10.0.0.{id}:7000"));
            self.roster.step(Input::Announce { node: id, address, boot }).unwrap();
        }
        self.note_whole();
        self.checks.healed_at = Some(self.now);
    }
}
