//! The slots of this node on which callers are parked.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use parking_lot::Mutex;
use tandem_kernel::CallId;

/// Which call has which slot.
#[derive(Debug, Default)]
pub struct Parking(Mutex<BTreeMap<u16, CallId>>);

impl Parking {
    /// The lowest free slot, taken for a call; none when all are taken.
    pub(crate) fn take(&self, slots: RangeInclusive<u16>, call: CallId) -> Option<u16> {
        let mut taken = self.0.lock();
        let slot = slots.into_iter().find(|slot| !taken.contains_key(slot))?;
        taken.insert(slot, call);
        Some(slot)
    }

    /// The call on a slot.
    pub(crate) fn find(&self, slot: u16) -> Option<CallId> {
        self.0.lock().get(&slot).copied()
    }

    /// The call has left the slot. Another's is not touched.
    pub(crate) fn free(&self, slot: u16, call: CallId) {
        let mut taken = self.0.lock();
        if taken.get(&slot) == Some(&call) {
            taken.remove(&slot);
        }
    }

    /// The call is gone, however it ended.
    pub(crate) fn forget(&self, call: CallId) {
        self.0.lock().retain(|_, other| *other != call);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_call_gets_a_slot_of_its_own_until_none_is_left() {
        let (parking, call) = (Parking::default(), CallId::from_u128);

        assert_eq!(parking.take(6000..=6001, call(1)), Some(6000));
        assert_eq!(parking.take(6000..=6001, call(2)), Some(6001));
        assert_eq!(parking.take(6000..=6001, call(3)), None);
        parking.free(6000, call(2));
        assert_eq!(parking.find(6000), Some(call(1)), "it is not the other's to free");
        parking.free(6000, call(1));
        assert_eq!(parking.take(6000..=6001, call(3)), Some(6000));
        parking.forget(call(3));
        assert_eq!((parking.find(6000), parking.find(6001)), (None, Some(call(2))));
    }
}
