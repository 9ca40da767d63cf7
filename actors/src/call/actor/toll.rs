//! What a call takes of its extension's and trunks' limits, and gives back.

use std::time::Duration;

use super::CallState;
use crate::call::event::CallEvent;
use crate::call::machine::Route;
use crate::outbound::UsedToll;
use crate::outbound::tolls::cost;

/// What the call has taken.
pub(super) struct Toll {
    used: UsedToll,
    price_per_minute: u32,
    /// The trunk by which it was answered.
    carried_by: Option<String>,
}

impl CallState {
    /// Lets a call onto its way to the outside, or bars it.
    pub(super) fn let_out(&mut self, extension: Option<&str>, mut route: Route) -> Route {
        if let Route::Callback(callback) = &mut route {
            let nowhere = Route::Refused { status: 480, why: String::new() };
            let otherwise = std::mem::replace(&mut callback.otherwise, nowhere);
            callback.otherwise = self.let_out(extension, otherwise);
            return route;
        }
        let Route::Lines { number, lines, outgoing } = route else { return route };
        let directory = self.exchange.provisioning.directory();
        let policy = &directory.settings().outbound;
        let now = self.exchange.clock.now();
        // A call that goes out again, by a transfer, pays for both ways.
        self.pay(Duration::ZERO);
        match self.exchange.tolls.begin(now, extension, policy, &outgoing) {
            Ok(used) => {
                let price_per_minute = outgoing.price_per_minute;
                self.toll = Some(Toll { used, price_per_minute, carried_by: None });
                Route::Lines { number, lines, outgoing }
            }
            Err(barred) => Route::Barred { number: outgoing.dialled, barred },
        }
    }

    /// A trunk tries the call.
    pub(super) fn tried_by(&mut self, trunk: &str) {
        if let Some(toll) = &mut self.toll {
            toll.used.trunks.push(trunk.to_owned());
        }
    }

    /// Looks at a fact for what it says about money.
    pub(super) fn count(&mut self, fact: &CallEvent) {
        match fact {
            CallEvent::Answered { trunk: Some(trunk), .. } => {
                if let Some(toll) = &mut self.toll {
                    toll.carried_by = Some(trunk.clone());
                }
            }
            CallEvent::Ended { talk_us, .. } => self.pay(Duration::from_micros(*talk_us)),
            _ => {}
        }
    }

    fn pay(&mut self, talk: Duration) {
        let Some(toll) = self.toll.take() else { return };
        let talk = if toll.carried_by.is_some() { talk } else { Duration::ZERO };
        let now = self.exchange.clock.now();
        let carried_by = toll.carried_by.as_deref();
        self.exchange.tolls.settle(now, &toll.used, carried_by, cost(toll.price_per_minute, talk));
    }
}
