//! The legs of a call that are at phones in browsers.

use ractor::ActorRef;

use super::CallState;
use crate::call::leg::{Happening, Shown};
use crate::call::machine::{LegIndex, Standing};
use crate::call::message::CallMsg;
use crate::softphone::Line;
use crate::softphone::words::FromPhone;

impl CallState {
    pub(super) fn browser_said(
        &mut self,
        myself: &ActorRef<CallMsg>,
        index: LegIndex,
        line: Line,
        said: FromPhone,
    ) {
        if let FromPhone::Merge(with) = said {
            return self.merge(myself, index, (with.call, with.index), None);
        }
        let Some(leg) = self.legs.get_mut(&index) else { return };
        let happenings = leg.browser_said(&self.exchange, myself, (line, said));
        self.all_happened(myself, index, happenings);
        // What the phone said may be nothing to the machine, and all that was missing.
        self.keep(myself);
    }

    /// The browser of an extension may be at another member now, or at none.
    pub(super) fn phone_at(&mut self, myself: &ActorRef<CallMsg>, extension: &str) {
        let legs = self.legs.iter();
        let theirs = legs.filter(|(_, leg)| leg.browser_of() == Some(extension));
        for index in theirs.map(|(index, _)| *index).collect::<Vec<_>>() {
            self.look_for_phone(myself, index);
        }
    }

    pub(super) fn look_for_phone(&mut self, myself: &ActorRef<CallMsg>, index: LegIndex) {
        let shown = self.shown_to(index);
        let Some(leg) = self.legs.get_mut(&index) else { return };
        let happenings = leg.look_for_phone(&self.exchange, myself, shown);
        self.all_happened(myself, index, happenings);
    }

    pub(super) fn phone_gone(&mut self, myself: &ActorRef<CallMsg>, index: LegIndex, line: Line) {
        let Some(leg) = self.legs.get_mut(&index) else { return };
        let happenings = leg.phone_gone(&self.exchange, myself, line);
        self.all_happened(myself, index, happenings);
    }

    pub(super) fn all_happened(
        &mut self,
        myself: &ActorRef<CallMsg>,
        index: LegIndex,
        happenings: Vec<Happening>,
    ) {
        for happening in happenings {
            self.happened(myself, index, happening);
        }
    }

    /// What a phone that does not know a leg shows of it.
    fn shown_to(&self, index: LegIndex) -> Shown {
        let (number, name) = match self.call.standing(index) {
            Ok(Standing::Talks(_, party)) => (party.number().to_owned(), party.name().to_owned()),
            _ => {
                let others = self.call.view().legs;
                let other = others.into_iter().find(|leg| leg.index != index);
                (other.map(|leg| leg.number).unwrap_or_default(), String::new())
            }
        };
        Shown { number, name, outgoing: index == 0, held: self.call.holds(index) }
    }
}
