//! How a call shows: to people, and on the lamps of phones.

use super::Facts;
use crate::call::machine::types::{LegIndex, Party};
use crate::office::{CallView, LegState, LegView};
use crate::presence::{Progress, Talk};

impl Facts {
    /// How each leg of an extension shows on the lamps of others.
    pub(in crate::call::machine) fn talks(&self) -> impl Iterator<Item = (LegIndex, &str, Talk)> {
        self.legs.iter().filter_map(|(index, leg)| {
            let extension = leg.party.extension()?;
            let is_initiator = extension == self.from && leg.supervises.is_none();
            let progress = match (leg.up, leg.ringing) {
                (true, _) => Progress::Confirmed,
                (false, true) => Progress::Early,
                (false, false) => Progress::Trying,
            };
            // Whom a manager attends is nobody's business.
            let remote = match (leg.supervises, is_initiator) {
                (Some(_), _) => String::new(),
                (None, true) => self.to.clone(),
                (None, false) => self.from.clone(),
            };
            let talk = Talk { progress, is_initiator, remote, is_held: leg.holds };
            Some((*index, extension, talk))
        })
    }

    pub(in crate::call::machine) fn view(&self, queue: Option<String>) -> CallView {
        let legs = self.legs.iter().map(|(index, leg)| LegView {
            index: *index,
            party: match &leg.party {
                Party::Extension { number, .. } => format!("extension:{number}"),
                Party::Outside { trunk, .. } => format!("trunk:{trunk}"),
            },
            number: leg.party.number().to_owned(),
            state: match (leg.up, leg.ringing, leg.holds) {
                (true, _, true) => LegState::Held,
                (true, _, false) => LegState::Up,
                (false, true, _) => LegState::Ringing,
                (false, false, _) => LegState::Dialling,
            },
            since: leg.since,
            supervises: leg.supervises,
        });
        CallView {
            id: self.id,
            direction: self.direction,
            from: self.from.clone(),
            to: self.to.clone(),
            started_at: self.started,
            answered_at: self.answered_at,
            queue,
            legs: legs.collect(),
        }
    }
}
