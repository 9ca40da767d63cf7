//! The letters of queues: which there are, their templates, and what a template can name
//! (Q-273, appendix C). The only module that names minijinja.

use std::io;

use minijinja::{Environment, UndefinedBehavior};
use serde::{Deserialize, Serialize};

/// What a rendering may cost, in steps of the template's machine: no loop runs for ever.
const FUEL: u64 = 50_000;
/// Longest text that is rendered, in bytes.
const LONGEST: usize = 64 * 1024;

/// What a letter is about; the names are those of appendix C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterKind {
    /// A caller left unanswered, not by hanging up.
    QueueMissedCall,
    /// A caller hung up while waiting.
    QueueAbandonedCall,
    /// The service level is below its threshold.
    QueueSlaAlarm,
    /// A caller asked to be called back.
    QueueCallbackRequested,
    /// A callback came to nothing.
    QueueCallbackFailed,
    /// An agent who missed calls was paused.
    AgentAutoPaused,
}

/// Subject and text of one kind of letter in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LetterTemplate {
    /// Of which letter.
    pub event: LetterKind,
    /// For queues of this language: `en`, `zh-hant` or `zh-hans`.
    pub language: String,
    /// The subject, with variables in `{{ }}`.
    pub subject: String,
    /// The text, with variables in `{{ }}`.
    pub text: String,
}

/// What a template can name. What a letter has nothing to say about is empty or 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LetterValues {
    /// The queue's name.
    pub queue_name: String,
    /// The queue's number.
    pub queue_number: String,
    /// When it happened, in the queue's time zone.
    pub time: String,
    /// The caller's number.
    pub caller_number: String,
    /// The caller's name.
    pub caller_name: String,
    /// How long the caller waited, in seconds.
    pub waiting_time: u64,
    /// Why the caller left, by its stable code.
    pub reason: String,
    /// The agent's name.
    pub agent_name: String,
    /// The agent's extension.
    pub agent_extension: String,
    /// The service level, in percent.
    pub sla_value: String,
    /// Its threshold, in percent.
    pub sla_threshold: u8,
    /// In time is who waited less, in seconds.
    pub sla_time: u32,
    /// All calls of the interval.
    pub sla_calls: u64,
    /// The interval's length.
    pub interval_minutes: u32,
    /// The number to call.
    pub callback_number: String,
    /// What became of the callback, by its stable code.
    pub callback_result: String,
    /// How many calls were missed in a row.
    pub missed_count: u64,
    /// Their ids.
    pub missed_calls: Vec<String>,
    /// The system's name.
    pub system_name: String,
}

impl LetterValues {
    /// Values to try a template with.
    #[must_use]
    pub fn sample() -> Self {
        Self {
            queue_name: "Support".into(),
            queue_number: "6400".into(),
            time: "2026-11-20 09:30:00 CST".into(),
            caller_number: "0912345678".into(),
            caller_name: "Chen".into(),
            waiting_time: 42,
            reason: "max_wait".into(),
            agent_name: "Lin".into(),
            agent_extension: "1001".into(),
            sla_value: "38.46".into(),
            sla_threshold: 80,
            sla_time: 60,
            sla_calls: 13,
            interval_minutes: 30,
            callback_number: "0912345678".into(),
            callback_result: "customer_no_answer".into(),
            missed_count: 2,
            missed_calls: vec![
                "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a10".into(),
                "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a11".into(),
            ],
            system_name: "Tandem".into(),
        }
    }
}

/// The head of all letters to managers.
const HEAD: &str = "Queue: {{ queue_number }} {{ queue_name }}\nWhen: {{ time }}\n";
/// Whom a letter is about.
const CALLER: &str = "Caller: {{ caller_number or 'unknown' }}\
    {% if caller_number and caller_name %} {{ caller_name }}{% endif %}\n";

impl LetterKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::QueueMissedCall,
        Self::QueueAbandonedCall,
        Self::QueueSlaAlarm,
        Self::QueueCallbackRequested,
        Self::QueueCallbackFailed,
        Self::AgentAutoPaused,
    ];

    /// The template where nobody has written another one: subject and text.
    #[must_use]
    pub fn default_words(self) -> (String, String) {
        let (subject, told) = match self {
            Self::QueueMissedCall => {
                ("Missed call", "Waited: {{ waiting_time }} s\nReason: {{ reason }}\n")
            }
            Self::QueueAbandonedCall => ("Abandoned call", "Waited: {{ waiting_time }} s\n"),
            Self::QueueCallbackRequested => {
                ("Callback requested", "Number to call: {{ callback_number }}\n")
            }
            Self::QueueCallbackFailed => {
                ("Callback failed", "Waited: {{ waiting_time }} s\nReason: {{ callback_result }}\n")
            }
            Self::QueueSlaAlarm => (
                "SLA alarm",
                "SLA: {{ sla_value }}% of {{ sla_calls }} calls in {{ interval_minutes }} min\n\
                 Threshold: {{ sla_threshold }}%\nSLA time: {{ sla_time }} s\n",
            ),
            Self::AgentAutoPaused => return paused(),
        };
        let caller = if self == Self::QueueSlaAlarm { "" } else { CALLER };
        (format!("{subject} in queue {{{{ queue_number }}}}"), format!("{HEAD}{caller}{told}"))
    }
}

fn paused() -> (String, String) {
    let subject = "Paused in queue {{ queue_number }} after {{ missed_count }} missed calls";
    let text = "Agent {{ agent_extension }} {{ agent_name }} was paused in queue \
                {{ queue_number }} {{ queue_name }} by the system.\n\n\
                When: {{ time }}\nCalls missed in a row: {{ missed_count }}\n\
                {% for call in missed_calls %}  {{ call }}\n{% endfor %}";
    (subject.to_owned(), text.to_owned())
}

/// A template that can not be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct BadTemplate {
    /// Where, from 1.
    pub line: usize,
    /// What is wrong there.
    pub why: String,
}

/// Puts values into a template.
///
/// # Errors
/// What is wrong with it, a variable that does not exist included.
pub fn render(template: &str, values: &LetterValues) -> Result<String, BadTemplate> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_keep_trailing_newline(true);
    engine.set_fuel(Some(FUEL));
    let mut text = Bounded(Vec::new());
    let rendered = engine
        .template_from_str(template)
        .and_then(|parsed| parsed.render_captured_to(values, &mut text).map(drop));
    rendered.map_err(|error| {
        let (line, kind) = (error.line().unwrap_or(1), error.kind());
        let why = error.detail().map_or_else(|| kind.to_string(), |it| format!("{kind}: {it}"));
        BadTemplate { line, why }
    })?;
    let bad = |_| BadTemplate { line: 1, why: "the text is not UTF-8".into() };
    String::from_utf8(text.0).map_err(bad)
}

/// A text that does not grow for ever.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(io::Error::other("the letter is too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A subject as one line; it becomes a header.
#[must_use]
pub fn one_line(subject: &str) -> String {
    let line: String = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn q_273_the_default_of_each_letter_can_be_rendered() {
        for kind in LetterKind::ALL {
            let (subject, text) = kind.default_words();
            for values in [LetterValues::sample(), LetterValues::default()] {
                let subject = render(&subject, &values).unwrap();
                assert_eq!(one_line(&subject), subject.trim(), "{kind:?}");
                assert!(render(&text, &values).unwrap().ends_with('\n'), "{kind:?}");
            }
        }
    }

    #[test]
    fn q_273_what_is_wrong_with_a_template_is_told_with_its_line() {
        let values = LetterValues::sample();
        for (template, line) in [
            ("{{ queue_nmae }}", 1),
            ("a\n{{ time", 2),
            ("a\nb\n{% if time %}", 3),
            ("{{ time|nonsense }}", 1),
            ("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", 1),
            ("{{ 'x' * 100000 }}", 1),
        ] {
            let bad = render(template, &values).unwrap_err();
            assert_eq!(bad.line, line, "{template}: {bad}");
        }
    }

    #[test]
    fn q_273_a_subject_stays_one_line() {
        assert_eq!(one_line("a\r\nBcc: x@example.net "), "a  Bcc: x@example.net");
    }
}
