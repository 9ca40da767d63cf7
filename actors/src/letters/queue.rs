//! What the managers of a queue are told by e-mail (Q-265 to Q-274, appendix C). Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_config::resource::letter::{LetterKind, LetterValues};
use tandem_config::resource::{Notifications, Queue};
use tandem_kernel::{CallId, Timestamp};

use crate::figures::Share;
use crate::queue::request::CallbackFailure;
use crate::queue::{Class, Exit, QueueEvent};

/// Callers of whom no end is heard, at most; the oldest is forgotten first.
const MOST_CALLERS: usize = 100_000;

/// A caller as a letter names them; empty where the node began after they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Caller {
    number: String,
    name: String,
}

/// The callers who wait, by what the journal says of them.
#[derive(Debug, Default)]
pub(super) struct Callers(BTreeMap<(CallId, String), Caller>);

impl Callers {
    /// Takes an event of a queue in and gives the caller whom it is about.
    pub(super) fn follow(&mut self, queue: &str, event: &QueueEvent) -> Caller {
        let key = |call: &CallId| (*call, queue.to_owned());
        match event {
            QueueEvent::Joined { call, caller, caller_name, .. } => {
                if self.0.len() >= MOST_CALLERS {
                    self.0.pop_first();
                }
                let caller = Caller { number: caller.clone(), name: caller_name.clone() };
                self.0.insert(key(call), caller.clone());
                caller
            }
            QueueEvent::CallbackRegistered { call, .. } => {
                self.0.get(&key(call)).cloned().unwrap_or_default()
            }
            QueueEvent::Answered { call, .. }
            | QueueEvent::Exited { call, .. }
            | QueueEvent::Refused { call, .. }
            | QueueEvent::CallbackSucceeded { call, .. }
            | QueueEvent::CallbackFailed { call, .. } => {
                self.0.remove(&key(call)).unwrap_or_default()
            }
            _ => Caller::default(),
        }
    }
}

/// Something of which managers can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    Missed { why: Exit, waited: Duration },
    Abandoned { waited: Duration },
    CallbackRequested { number: String },
    CallbackFailed { why: CallbackFailure, waited: Duration },
    SlaAlarm { share: Share, total: u64, within_secs: u32, threshold: u8, interval_mins: u32 },
}

impl News {
    /// What an event is news of. Missed and abandoned exclude each other.
    pub(super) fn of(event: &QueueEvent) -> Option<Self> {
        let left = |why: Exit, wait_us| {
            let waited = Duration::from_micros(wait_us);
            match why.class() {
                Class::Missed => Some(Self::Missed { why, waited }),
                Class::Abandoned => Some(Self::Abandoned { waited }),
                Class::Answered => None,
            }
        };
        match event {
            QueueEvent::Refused { reason, .. } => left(*reason, 0),
            QueueEvent::Exited { reason, wait_us, .. } => left(*reason, *wait_us),
            QueueEvent::CallbackRegistered { number, .. } => {
                Some(Self::CallbackRequested { number: number.clone() })
            }
            QueueEvent::CallbackFailed { reason, wait_us, .. } => {
                let waited = Duration::from_micros(*wait_us);
                Some(Self::CallbackFailed { why: *reason, waited })
            }
            QueueEvent::LevelEvaluated {
                in_time,
                total,
                within_secs,
                threshold_percent,
                interval_mins,
                ..
            } if event.is_alarm() => Some(Self::SlaAlarm {
                share: Share::of(*in_time, *total),
                total: *total,
                within_secs: *within_secs,
                threshold: *threshold_percent,
                interval_mins: *interval_mins,
            }),
            _ => None,
        }
    }

    pub(super) const fn is_wanted(&self, switches: Notifications) -> bool {
        match self {
            Self::Missed { .. } => switches.missed_call,
            Self::Abandoned { .. } => switches.abandoned_call,
            Self::CallbackRequested { .. } => switches.callback_requested,
            Self::CallbackFailed { .. } => switches.callback_failed,
            Self::SlaAlarm { .. } => switches.sla_alarm,
        }
    }

    /// Which letter tells it.
    pub(super) const fn kind(&self) -> LetterKind {
        match self {
            Self::Missed { .. } => LetterKind::QueueMissedCall,
            Self::Abandoned { .. } => LetterKind::QueueAbandonedCall,
            Self::CallbackRequested { .. } => LetterKind::QueueCallbackRequested,
            Self::CallbackFailed { .. } => LetterKind::QueueCallbackFailed,
            Self::SlaAlarm { .. } => LetterKind::QueueSlaAlarm,
        }
    }

    /// What its letter can name.
    pub(super) fn values(&self, queue: &Queue, caller: &Caller, when: &str) -> LetterValues {
        let mut values = LetterValues {
            queue_name: queue.name.clone(),
            queue_number: queue.number.clone(),
            time: when.to_owned(),
            caller_number: caller.number.clone(),
            caller_name: caller.name.clone(),
            system_name: super::SYSTEM_NAME.to_owned(),
            ..LetterValues::default()
        };
        match self {
            Self::Missed { why, waited } => {
                values.waiting_time = waited.as_secs();
                values.reason = why.as_str().to_owned();
            }
            Self::Abandoned { waited } => {
                values.waiting_time = waited.as_secs();
                values.reason = Exit::CallerHangup.as_str().to_owned();
            }
            Self::CallbackRequested { number } => values.callback_number.clone_from(number),
            Self::CallbackFailed { why, waited } => {
                values.waiting_time = waited.as_secs();
                values.callback_result = why.as_str().to_owned();
            }
            Self::SlaAlarm { share, total, within_secs, threshold, interval_mins } => {
                values.sla_value = share.to_string().trim_end_matches('%').to_owned();
                values.sla_calls = *total;
                values.sla_time = *within_secs;
                values.sla_threshold = *threshold;
                values.interval_minutes = *interval_mins;
            }
        }
        values
    }
}

/// A moment in the time zone of a queue that goes by the clock, else in UTC.
pub(super) fn moment(at: Timestamp, zone: Option<&str>) -> String {
    let local = zone.and_then(|zone| {
        let micros = i64::try_from(at.as_micros()).ok()?;
        let zoned = jiff::Timestamp::from_microsecond(micros).ok()?.in_tz(zone).ok()?;
        Some(zoned.strftime("%Y-%m-%d %H:%M:%S %Z").to_string())
    });
    local.unwrap_or_else(|| at.rfc3339())
}
