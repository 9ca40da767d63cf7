//! A scenario: what people do at which moments, and what the machines make of it.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// All moments are milliseconds from the beginning of the scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    /// The queue's options as the API takes them, without its members.
    pub(crate) queue: Value,
    pub(crate) agents: Vec<AgentScript>,
    /// Dynamic agents in the order in which they log in before it begins.
    pub(crate) log_ins: Vec<usize>,
    pub(crate) callers: Vec<CallerScript>,
    pub(crate) predicted: Seen,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AgentScript {
    pub(crate) membership: String,
    pub(crate) skill_level: u8,
    /// What is done about the first ring, the second one, and so on; ignored are all others.
    pub(crate) rings: Vec<(u64, Reaction)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reaction {
    Answer,
    Decline,
    Busy,
    Ignore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallerScript {
    pub(crate) arrives: u64,
    /// When the caller hangs up, or presses 0, if they still wait.
    pub(crate) leaves: Option<(u64, Leave)>,
    /// When a talk ends, and whether by the caller.
    pub(crate) talk_ends: Option<(u64, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Leave {
    HangUp,
    PressKey,
}

/// What was seen, or is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// When which agent rang for which caller.
    pub(crate) rings: Vec<(u64, usize, usize)>,
    /// Caller, exit, agent.
    pub(crate) exits: Vec<(usize, String, Option<usize>)>,
}

/// Rings closer than this come from one cause: they have no order among them.
const AT_ONCE: u64 = 5;

impl Seen {
    /// What of this prediction did not come true.
    pub(crate) fn differs(&self, seen: &Self) -> Option<String> {
        if self.rings.len() != seen.rings.len() {
            return Some(format!("{} rings, not {}", seen.rings.len(), self.rings.len()));
        }
        let same_cause =
            |a: &(u64, usize, usize), b: &(u64, usize, usize)| b.0.saturating_sub(a.0) <= AT_ONCE;
        let mut from = 0;
        for group in self.rings.chunk_by(same_cause) {
            let pairs = |rings: &[(u64, usize, usize)]| {
                let mut pairs: Vec<_> = rings.iter().map(|it| (it.1, it.2)).collect();
                pairs.sort_unstable();
                pairs
            };
            let to = from + group.len();
            if pairs(group) != pairs(&seen.rings[from..to]) {
                return Some(format!("ring {from}: {:?}, not {group:?}", &seen.rings[from..to]));
            }
            from = to;
        }
        let sorted = |exits: &[(usize, String, Option<usize>)]| {
            let mut exits = exits.to_vec();
            exits.sort();
            exits
        };
        let (own, other) = (sorted(&self.exits), sorted(&seen.exits));
        let wrong = own.iter().zip(&other).find(|(a, b)| a != b);
        wrong
            .map(|(own, other)| format!("exit {other:?}, not {own:?}"))
            .or_else(|| (own.len() != other.len()).then(|| format!("{} exits", other.len())))
    }
}

impl Scenario {
    /// The file: one thing a line.
    pub(crate) fn text(&self) -> String {
        let list = |items: Vec<String>| format!("[\n    {}\n  ]", items.join(",\n    "));
        let lines =
            |value: &Value| list(value.as_array().unwrap().iter().map(Value::to_string).collect());
        let whole = serde_json::to_value(self).unwrap();
        let mut text = String::from("{\n");
        writeln!(text, "  \"seed\": {},", self.seed).unwrap();
        writeln!(text, "  \"queue\": {},", self.queue).unwrap();
        writeln!(text, "  \"agents\": {},", lines(&whole["agents"])).unwrap();
        writeln!(text, "  \"log_ins\": {},", whole["log_ins"]).unwrap();
        writeln!(text, "  \"callers\": {},", lines(&whole["callers"])).unwrap();
        let seen = &whole["predicted"];
        let (rings, exits) = (lines(&seen["rings"]), lines(&seen["exits"]));
        writeln!(text, "  \"predicted\": {{\"rings\": {rings}, \"exits\": {exits}}}").unwrap();
        text + "}\n"
    }
}
