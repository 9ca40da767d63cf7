//! What is wrong with a user's own arrangement of the panel.

use super::Wrong;
use super::wallboard::layout;
use crate::resource::Console;

/// Most groups of a user.
const MOST_GROUPS: usize = 20;
/// Most queues of a group: a panel watches a hundred topics.
const MOST_QUEUES: usize = 99;

impl Console {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        wrong.key(&self.name, "/name");
        percent(self.alarm_threshold_percent, "/alarm_threshold_percent", wrong);
        let turns = (5..=3_600).contains(&self.rotation_secs);
        wrong.unless(turns, "/rotation_secs", "out-of-range", "5 to 3600 seconds (Q-449)");
        layout(&self.all, "/all", wrong);
        layout(&self.single, "/single", wrong);
        let few = self.groups.len() <= MOST_GROUPS;
        wrong.unless(few, "/groups", "too-many", "at most 20 groups");
        for (index, group) in self.groups.iter().enumerate() {
            let at = |field: &str| format!("/groups/{index}/{field}");
            wrong.name(&group.name, &at("name"));
            let is_first = !self.groups[..index].iter().any(|other| other.name == group.name);
            wrong.unless(is_first, &at("name"), "twice", "another group has this name");
            percent(group.alarm_threshold_percent, &at("alarm_threshold_percent"), wrong);
            let some = (1..=MOST_QUEUES).contains(&group.queues.len());
            wrong.unless(some, &at("queues"), "out-of-range", "1 to 99 queues");
            for (place, number) in group.queues.iter().enumerate() {
                let at = at(&format!("queues/{place}"));
                wrong.number(number, &at);
                let is_first = !group.queues[..place].contains(number);
                wrong.unless(is_first, &at, "twice", "the queue is in the group already");
            }
        }
    }
}

fn percent(percent: u8, pointer: &str, wrong: &mut Wrong) {
    wrong.unless((1..=100).contains(&percent), pointer, "out-of-range", "1 to 100 percent");
}
