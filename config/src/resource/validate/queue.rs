//! Rules of queues.

use super::Wrong;
use crate::resource::hours::zone_problem;
use crate::resource::{CallbackMethod, Destination, PromptOptions, Queue};

impl PromptOptions {
    fn check(&self, wrong: &mut Wrong) {
        wrong.prompt_if_any(&self.join, "/prompts/join");
        wrong.prompt_if_any(&self.waiting_audio, "/prompts/waiting_audio");
        wrong.prompt_if_any(&self.hold_music, "/prompts/hold_music");
        wrong.prompt_if_any(&self.announcement, "/prompts/announcement");
        let interval = self.announcement_interval_secs;
        wrong.secs(interval, 0, "/prompts/announcement_interval_secs");
        wrong.secs(self.position_interval_secs, 0, "/prompts/position_interval_secs");
        if !self.language.is_empty() {
            wrong.language(&self.language, "/prompts/language");
        }
    }
}

impl Queue {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        wrong.number(&self.number, "/number");
        wrong.name(&self.name, "/name");
        wrong.secs(self.max_wait_secs, 0, "/max_wait_secs");
        wrong.destination(&self.failover, "/failover");
        let itself = Destination::Queue { number: self.number.clone() };
        // Circles of several queues are allowed here.
        wrong.unless(
            self.failover != itself,
            "/failover/number",
            "loop",
            "a queue does not fail over to itself",
        );
        for (key, destination) in &self.key_events {
            wrong.key_to(key, destination, "/key_events");
        }
        let times = &self.time_condition;
        let out_of_hours = "/time_condition/out_of_hours_destination";
        wrong.destination(&times.out_of_hours_destination, out_of_hours);
        wrong.destination(&times.holiday_destination, "/time_condition/holiday_destination");
        self.prompts.check(wrong);
        wrong.unless(self.max_callers <= 9_999, "/max_callers", "out-of-range", "0 to 9999");
        self.check_priority(wrong);
        self.check_callback(wrong);
        self.check_survey(wrong);
        wrong.secs(self.sla.time_secs, 1, "/sla/time_secs");
        let interval = self.sla.evaluation_interval_mins;
        wrong.between(interval, 1, 1_440, "/sla/evaluation_interval_mins");
        let threshold = u32::from(self.sla.alarm_threshold_percent);
        wrong.between(threshold, 0, 100, "/sla/alarm_threshold_percent");
        if !self.daily_reset_zone.is_empty()
            && let Some((_, detail)) = zone_problem(&self.daily_reset_zone)
        {
            wrong.unless(false, "/daily_reset_zone", "wrong-value", detail);
        }
        // It becomes a parameter of a header.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let fits = self.alert_info.len() <= 63 && self.alert_info.bytes().all(plain);
        wrong.unless(fits, "/alert_info", "format", "up to 63 letters, digits, . - and _");
        wrong.prompt_if_any(&self.agent.announcement, "/agent/announcement");
        let misses = u32::from(self.agent.auto_pause.missed_calls);
        wrong.between(misses, 1, 10, "/agent/auto_pause/missed_calls");
        wrong.secs(self.agent.ring_timeout_secs, 1, "/agent/ring_timeout_secs");
        wrong.secs(self.agent.retry_interval_secs, 0, "/agent/retry_interval_secs");
        wrong.secs(self.agent.wrap_up_secs, 0, "/agent/wrap_up_secs");
        for (index, member) in self.members.iter().enumerate() {
            let before = &self.members[..index];
            let once = !before.iter().any(|other| other.extension == member.extension);
            let pointer = format!("/members/{index}/extension");
            // an extension is static or dynamic in a queue, not both.
            wrong.unless(once, &pointer, "duplicate", "an extension is a member once");
            let level = u32::from(member.skill_level);
            wrong.between(level, 1, 100, &format!("/members/{index}/skill_level"));
        }
    }

    fn check_callback(&self, wrong: &mut Wrong) {
        let callback = &self.callback;
        wrong.secs(callback.timeout_secs, 0, "/callback/timeout_secs");
        let prefix = &callback.outbound_prefix;
        let dials = prefix.len() <= 15 && prefix.bytes().all(|b| b"0123456789*#+".contains(&b));
        wrong.unless(dials, "/callback/outbound_prefix", "format", "up to 15 digits, * # or +");
        // a custom value.
        let (limit, kept) = (self.max_wait_secs, callback.timeout_secs);
        let fits = limit == 0 || kept < limit;
        wrong.unless(fits, "/callback/timeout_secs", "too-long", "less than max_wait_secs");
        if !callback.enabled {
            return;
        }
        let pointer = match callback.method {
            CallbackMethod::ByKey => "/callback/key",
            CallbackMethod::ByTimeout => {
                let trigger = callback.trigger_timeout_secs;
                let at = "/callback/trigger_timeout_secs";
                wrong.secs(trigger, 1, at);
                //
                let fits = limit == 0 || trigger <= limit;
                wrong.unless(fits, at, "too-long", "not more than max_wait_secs");
                "/callback/method"
            }
        };
        let key = callback.key();
        let is_key = key.len() == 1 && key.bytes().all(|b| b"0123456789*#".contains(&b));
        wrong.unless(is_key, pointer, "format", "one key: 0 to 9, * or #");
        // saved from either side.
        let taken = self.key_events.contains_key(key);
        wrong.unless(!taken, pointer, "duplicate", "the key leads elsewhere by key_events");
    }

    /// Q-253; Q-192: a manager is named once.
    fn check_survey(&self, wrong: &mut Wrong) {
        wrong.prompt_if_any(&self.survey.prompt, "/survey/prompt");
        wrong.prompt_if_any(&self.survey.end_prompt, "/survey/end_prompt");
        for (key, score) in &self.survey.scores {
            let pointer = format!("/survey/scores/{key}");
            let is_digit = key.len() == 1 && key.bytes().all(|b| b.is_ascii_digit());
            wrong.unless(is_digit, &pointer, "format", "one key: 0 to 9");
            wrong.unless(score.unsigned_abs() <= 99, &pointer, "out-of-range", "-99 to 99");
        }
        for (index, manager) in self.managers.iter().enumerate() {
            let once = !self.managers[..index].contains(manager);
            let pointer = format!("/managers/{index}");
            wrong.unless(once, &pointer, "duplicate", "an extension is a manager once");
        }
    }

    fn check_priority(&self, wrong: &mut Wrong) {
        wrong.unless(self.weight <= 999, "/weight", "out-of-range", "0 to 999");
        let period = self.acceleration_secs;
        let right = period == 0 || (10..=1_800).contains(&period);
        wrong.unless(right, "/acceleration_secs", "out-of-range", "10 to 1800, 0: off");
        // Without a weight the queue takes no part in the comparison.
        let weighed = period == 0 || self.weight > 0;
        wrong.unless(weighed, "/weight", "required", "acceleration needs a weight of 1 to 999");
    }
}
