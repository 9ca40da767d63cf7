//! The rules of time profiles.

use super::Wrong;
use crate::resource::TimeProfile;
use crate::resource::hours::zone_problem;

/// Office hours, and holidays, of a time profile at most.
const MAX_ENTRIES: usize = 200;

impl TimeProfile {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        wrong.key(&self.name, "/name");
        if let Some((field, detail)) = zone_problem(&self.zone) {
            wrong.unless(false, &format!("/{field}"), "wrong-value", detail);
        }
        let few = self.hours.len() <= MAX_ENTRIES && self.holidays.len() <= MAX_ENTRIES;
        wrong.unless(few, "", "too-many", "at most 200 office hours and 200 holidays");
        for (index, hours) in self.hours.iter().enumerate() {
            for (field, detail) in hours.problems() {
                wrong.unless(false, &format!("/hours/{index}/{field}"), "wrong-value", detail);
            }
        }
        for (index, holiday) in self.holidays.iter().enumerate() {
            let pointer = format!("/holidays/{index}");
            wrong.name(&holiday.name, &format!("{pointer}/name"));
            wrong.prompt_if_any(&holiday.prompt, &format!("{pointer}/prompt"));
            for (field, detail) in holiday.problems() {
                wrong.unless(false, &format!("{pointer}/{field}"), "wrong-value", detail);
            }
        }
    }
}
