//! What calls have cost before the node was started again, out of the journal: limits of a day
//! outlive a restart.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_journal::Record;
use tandem_kernel::CallId;

use super::Tolls;
use super::tolls::cost;
use crate::call::event::CallEvent;
use crate::entity;

struct Open {
    by: String,
    price_per_minute: u32,
    trunk: Option<String>,
}

/// The outside calls that have begun and not ended.
#[derive(Default)]
pub struct History {
    open: BTreeMap<CallId, Open>,
}

impl History {
    /// Takes a journal record in; one that ends an outside call is put on its accounts.
    pub fn apply(&mut self, record: &Record, tolls: &Tolls) {
        if record.entity.kind != entity::CALL {
            return;
        }
        let Ok(call) = record.entity.key.parse::<CallId>() else { return };
        // Unreadable records are said where call records are made of them.
        let Ok(event) = entity::decode::<CallEvent>(&record.event) else { return };
        match event {
            CallEvent::Outgoing { by, outgoing, .. } if outgoing.price_per_minute > 0 => {
                let price_per_minute = outgoing.price_per_minute;
                self.open.insert(call, Open { by, price_per_minute, trunk: None });
            }
            CallEvent::Answered { trunk: Some(trunk), .. } => {
                if let Some(open) = self.open.get_mut(&call) {
                    open.trunk = Some(trunk);
                }
            }
            CallEvent::Ended { at, talk_us, .. } => {
                let Some(open) = self.open.remove(&call) else { return };
                if open.trunk.is_some() {
                    let cost = cost(open.price_per_minute, Duration::from_micros(talk_us));
                    tolls.remember(at, &open.by, open.trunk.as_deref(), cost);
                }
            }
            _ => {}
        }
    }
}
