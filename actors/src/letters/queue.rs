//! What the managers of a queue are told by e-mail (Q-265 to Q-274, appendix C). Pure.

use std::collections::BTreeMap;
use std::time::Duration;

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

    /// Subject and text.
    pub(super) fn words(&self, queue: &Queue, caller: &Caller, when: &str) -> (String, String) {
        let Queue { number, name, .. } = queue;
        let who = match (&*caller.number, &*caller.name) {
            ("", _) => "unknown".to_owned(),
            (number, "") => number.to_owned(),
            (number, name) => format!("{number} {name}"),
        };
        let (subject, told) = match self {
            Self::Missed { why, waited } => {
                let why = why.as_str();
                ("Missed call", format!("Waited: {} s\nReason: {why}\n", waited.as_secs()))
            }
            Self::Abandoned { waited } => {
                ("Abandoned call", format!("Waited: {} s\n", waited.as_secs()))
            }
            Self::CallbackRequested { number } => {
                ("Callback requested", format!("Number to call: {number}\n"))
            }
            Self::CallbackFailed { why, waited } => {
                let why = why.as_str();
                ("Callback failed", format!("Waited: {} s\nReason: {why}\n", waited.as_secs()))
            }
            Self::SlaAlarm { share, total, within_secs, threshold, interval_mins } => (
                "SLA alarm",
                format!(
                    "SLA: {share} of {total} calls in {interval_mins} min\n\
                     Threshold: {threshold}%\nSLA time: {within_secs} s\n"
                ),
            ),
        };
        let of_whom = match self {
            Self::SlaAlarm { .. } => String::new(),
            _ => format!("Caller: {who}\n"),
        };
        let text = format!("Queue: {number} {name}\nWhen: {when}\n{of_whom}{told}");
        (format!("{subject} in queue {number}"), text)
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
