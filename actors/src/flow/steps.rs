//! A call flow (通话流程): its steps, one after the other.

use std::time::Duration;

use tandem_config::Pattern;
use tandem_config::resource::{CallFlow, Conditions, FlowAction, FlowStep};

use super::{Act, Clip, Cue, in_words};

/// A caller in a call flow. Hours and caller were looked at when the call came in; what is left
/// depends on the digits alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    pub(super) number: String,
    /// The revision of the flow that the call goes by to its end.
    version: u64,
    /// With their numbers in the flow, from 1.
    steps: Vec<(usize, FlowStep)>,
    next: usize,
    /// What was collected last.
    digits: String,
    /// What is still to be collected: digits, and the time for each.
    collecting: Option<(usize, Duration)>,
}

impl Steps {
    /// A caller who enters a flow at a version of it.
    #[must_use]
    pub fn new(flow: &CallFlow, version: u64, now: jiff::Timestamp, caller: &str) -> Self {
        let holds = |when: &Conditions| {
            when.hours.as_ref().is_none_or(|hours| hours.hold_at(now))
                && matches(&when.caller, caller)
        };
        let numbered = flow.steps.iter().enumerate().map(|(index, step)| (index + 1, step));
        let steps = numbered.filter(|(_, step)| holds(&step.when));
        Self {
            number: flow.number.clone(),
            version,
            steps: steps.map(|(number, step)| (number, step.clone())).collect(),
            next: 0,
            digits: String::new(),
            collecting: None,
        }
    }

    pub(super) fn cue(&mut self, cue: &Cue) -> Vec<Act> {
        match (cue, self.collecting) {
            (Cue::Begin, _) => {
                let mut acts = vec![Act::Note(format!("entered version {}", self.version))];
                acts.extend(self.go_on());
                acts
            }
            (Cue::Played, Some((_, timeout))) => vec![Act::Wait(timeout)],
            (Cue::Played, None) => self.go_on(),
            (Cue::Digit('#') | Cue::TimedOut, Some(_)) => self.collected(),
            (Cue::Digit(digit), Some((left, timeout))) => {
                self.digits.push(*digit);
                if left <= 1 {
                    return self.collected();
                }
                self.collecting = Some((left - 1, timeout));
                vec![Act::Silence, Act::Wait(timeout)]
            }
            _ => Vec::new(),
        }
    }

    fn collected(&mut self) -> Vec<Act> {
        self.collecting = None;
        let mut acts = vec![Act::Silence, Act::Note(format!("collected {}", self.digits))];
        acts.extend(self.go_on());
        acts
    }

    /// The next step whose digits fit.
    fn go_on(&mut self) -> Vec<Act> {
        while let Some((number, step)) = self.steps.get(self.next) {
            self.next += 1;
            if !matches(&step.when.digits, &self.digits) {
                continue;
            }
            return match &step.action {
                FlowAction::Play { prompt } => {
                    let note = Act::Note(format!("step {number}: prompt {prompt}"));
                    vec![note, Act::Play(vec![Clip::File(prompt.clone())])]
                }
                FlowAction::Collect { prompt, max_digits, timeout_secs } => {
                    let timeout = Duration::from_secs(u64::from(*timeout_secs));
                    self.collecting = Some((usize::from(*max_digits), timeout));
                    self.digits.clear();
                    let note = Act::Note(format!("step {number}: collect after {prompt}"));
                    vec![note, Act::Play(vec![Clip::File(prompt.clone())])]
                }
                FlowAction::Go { destination } => {
                    let note = format!("step {number}: to {}", in_words(destination));
                    vec![Act::Note(note), Act::Go(destination.clone())]
                }
            };
        }
        vec![Act::Note("after the last step: hang up".to_owned()), Act::HangUp]
    }
}

fn matches(patterns: &[Pattern], text: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(text))
}
