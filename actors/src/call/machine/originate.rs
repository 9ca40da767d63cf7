//! A call that the node places for somebody: their phones ring first.

use std::time::Duration;

use tandem_kernel::Timestamp;

use super::Stage;
use super::effect::{Dialled, Effect};
use super::facts::Facts;
use super::hunt::Hunt;
use super::purpose::Purpose;
use super::types::{Device, Errand, Party};
use crate::call::event::CallEvent;
use crate::office::Direction;

impl Facts {
    /// Rings the phones of who wants to call; the dialling starts with the answer.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn originate(
        &mut self,
        now: Timestamp,
        caller: Party,
        devices: Vec<Device>,
        dialled: String,
        ring_for: Duration,
        errand: Errand,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let Errand { wish, by, correlation_id, shown, auto_answer } = errand;
        // D-024: the phone shows whom the call is for.
        let number = shown.unwrap_or_else(|| dialled.clone());
        let shown = Party::Extension { number, name: String::new() };
        self.start(now, Direction::Internal, &caller, dialled.clone(), out);
        if !by.is_empty() {
            out.push(Effect::Record(CallEvent::Requested { at: now, by, correlation_id }));
        }
        // D-029: one phone answers by itself, the others ring.
        let phone = |device: Device| match &auto_answer {
            Some(binding) if *binding == device.binding => Dialled::Intercom(device),
            _ => Dialled::Device(device),
        };
        let phones = devices.into_iter().map(phone).collect();
        let purpose = Purpose::Originate { caller, dialled, wish: Box::new(wish) };
        Hunt::phones(self, now, None, shown, phones, ring_for, purpose, out)
    }
}
