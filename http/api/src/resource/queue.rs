//! Queues.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Destination, QueuePermissions, TimeCondition};

/// Which agent rings next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RingStrategy {
    /// All idle agents at once.
    #[default]
    RingAll,
    /// The agent whose last queue call is longest ago.
    LeastRecent,
    /// The agent with the fewest answered calls.
    FewestCalls,
    /// A random idle agent.
    Random,
    /// The agent after the one rung last.
    Rrmemory,
    /// Always from the first in order.
    Linear,
}

/// Static or dynamic agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// Always logged in.
    Static,
    /// Logs in and out.
    Dynamic,
}

/// One agent of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The agent's extension.
    pub extension: String,
    /// Static or dynamic.
    pub membership: Membership,
    /// How skilled in this queue, 1 to 100; 1 is the best.
    #[serde(default = "best_level")]
    pub skill_level: u8,
}

const fn best_level() -> u8 {
    1
}

/// The agents of a queue, in list order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The agents.
    pub members: Vec<Member>,
}

/// A way in which an agent is unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmptyScenario {
    /// The agent's phones are not registered.
    AllUnregistered,
    /// The agent is paused.
    AllPaused,
    /// The agent rings or talks.
    AllInUse,
}

/// Whether, and by which scenarios, a queue without agents turns callers away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EmptyRule {
    /// The switch.
    pub enabled: bool,
    /// The scenarios beside 'logged out', which always counts.
    pub scenarios: Vec<EmptyScenario>,
}

impl Default for EmptyRule {
    fn default() -> Self {
        Self {
            enabled: false,
            scenarios: vec![EmptyScenario::AllUnregistered, EmptyScenario::AllPaused],
        }
    }
}

/// When an agent is paused by the system. It has no effect with `ring_all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AutoPause {
    /// The switch.
    pub enabled: bool,
    /// Calls missed one after the other, 1 to 10.
    pub missed_calls: u8,
}

impl Default for AutoPause {
    fn default() -> Self {
        Self { enabled: false, missed_calls: 3 }
    }
}

/// Agent options of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AgentOptions {
    /// How long one agent rings, at least 1.
    pub ring_timeout_secs: u32,
    /// The pause between two attempts.
    pub retry_interval_secs: u32,
    /// Rest after an answered queue call; 0: none.
    pub wrap_up_secs: u32,
    /// Whether agents who are in a call ring too.
    pub ring_in_use: bool,
    /// Whether agents who miss calls are paused.
    pub auto_pause: AutoPause,
    /// Caller and agent are told the agent's number when the call is answered.
    pub announce_id: bool,
    /// Played to the agent who has answered, before the caller is put through; empty: none.
    pub announcement: String,
    /// Whether the agents' phones list the rings of the queue that they did not answer.
    pub phone_shows_missed: bool,
}

impl Default for AgentOptions {
    fn default() -> Self {
        Self {
            ring_timeout_secs: 15,
            retry_interval_secs: 5,
            wrap_up_secs: 0,
            ring_in_use: false,
            auto_pause: AutoPause::default(),
            announce_id: false,
            announcement: String::new(),
            phone_shows_missed: false,
        }
    }
}

/// What callers hear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PromptOptions {
    /// Played once on joining; empty: none.
    pub join: String,
    /// Agents ring only after the join announcement.
    pub ring_after_join: bool,
    /// Looped while waiting, `tone/ring-back` for the ringing tone; empty: the hold music.
    pub waiting_audio: String,
    /// Looped while held after the answer; empty: the system's.
    pub hold_music: String,
    /// Played again and again while waiting; empty: none.
    pub announcement: String,
    /// From the end of one announcement to the next, in seconds; 0: never.
    pub announcement_interval_secs: u32,
    /// Tell again and again how many wait ahead.
    pub position: bool,
    /// Tell how long it will take, from a minute on.
    pub estimate: bool,
    /// Thank for the patience.
    pub thanks: bool,
    /// From the end of these to the next time, in seconds; 0: never.
    pub position_interval_secs: u32,
    /// Language of the system's prompts: `en`, `zh-hant`, `zh-hans`; empty: the system's.
    pub language: String,
}

impl Default for PromptOptions {
    fn default() -> Self {
        Self {
            join: String::new(),
            ring_after_join: false,
            waiting_audio: String::new(),
            hold_music: String::new(),
            announcement: String::new(),
            announcement_interval_secs: 60,
            position: false,
            estimate: false,
            thanks: false,
            position_interval_secs: 60,
            language: String::new(),
        }
    }
}

/// How a waiting caller asks to be called back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallbackMethod {
    /// By a key, at any time.
    #[default]
    ByKey,
    /// By key 1, which a prompt offers after some time.
    ByTimeout,
}

/// Callback: a caller hangs up, keeps the place and is called when an agent is free.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackOptions {
    /// The switch.
    pub enabled: bool,
    /// How a caller asks for it.
    pub method: CallbackMethod,
    /// The key of `by_key`: `0` to `9`, `*` or `#`, and not one of `key_events`.
    pub key: String,
    /// When `by_timeout` offers the callback, from the entry; at most `max_wait_secs`.
    pub trigger_timeout_secs: u32,
    /// Put before the number that is dialled, to choose the outbound route.
    pub outbound_prefix: String,
    /// How long a request is kept, from the entry, less than `max_wait_secs`; 0: that long.
    pub timeout_secs: u32,
}

/// What callers are asked when the agent has hung up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SurveyOptions {
    /// The question, `survey` for the system's; empty: nothing is asked.
    pub prompt: String,
    /// Said to who has pressed a key with a score; empty: the system's thanks.
    pub end_prompt: String,
    /// The score of each key, `0` to `9`, from -99 to 99; other keys mean nothing.
    pub scores: BTreeMap<String, i8>,
}

impl Default for SurveyOptions {
    /// The question of the system: 1 is satisfied, 2 is not.
    fn default() -> Self {
        let scores = [("1", 1), ("2", 0)].map(|(key, score)| (key.to_owned(), score));
        Self { prompt: String::new(), end_prompt: String::new(), scores: scores.into() }
    }
}

/// The service level that a queue is to keep (section 14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SlaOptions {
    /// In time is who waits less than so many seconds, at least 1.
    pub time_secs: u32,
    /// How often it is compared with the threshold, in minutes, 1 to 1440.
    pub evaluation_interval_mins: u32,
    /// Below so many percent is an alarm.
    pub alarm_threshold_percent: u8,
}

impl Default for SlaOptions {
    fn default() -> Self {
        Self { time_secs: 60, evaluation_interval_mins: 30, alarm_threshold_percent: 80 }
    }
}

/// Of what the managers are told by e-mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Notifications {
    /// A caller left unanswered, not by hanging up.
    pub missed_call: bool,
    /// A caller hung up while waiting.
    pub abandoned_call: bool,
    /// A caller asked to be called back.
    pub callback_requested: bool,
    /// A callback came to nothing.
    pub callback_failed: bool,
    /// The service level was below its threshold.
    pub sla_alarm: bool,
}

/// A call queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Its number; never changes.
    pub number: String,
    /// Its name, 1 to 63 characters.
    pub name: String,
    /// Which agent rings next; with skills: among agents of one level.
    #[serde(default)]
    pub ring_strategy: RingStrategy,
    /// Offers calls to the best skill level first.
    #[serde(default)]
    pub skill_based_routing: bool,
    /// How long a caller waits at most; 0: no limit.
    #[serde(default)]
    pub max_wait_secs: u32,
    /// Where callers go whom no agent answers.
    #[serde(default)]
    pub failover: Destination,
    /// How many may wait; 0: no limit.
    #[serde(default)]
    pub max_callers: u32,
    /// Pull waiting callers out when no agent is there.
    #[serde(default)]
    pub leave_empty: EmptyRule,
    /// Refuse new callers when no agent is there.
    #[serde(default)]
    pub join_empty: EmptyRule,
    /// Weight against other queues of the same agents, 0 to 999.
    #[serde(default)]
    pub weight: u16,
    /// Each period of so many seconds that a caller has waited adds 1 to the weight, 10 to 1800;
    /// 0: off.
    #[serde(default)]
    pub acceleration_secs: u32,
    /// Where a waiting caller goes who presses a key: `0` to `9`, `*` or `#`.
    #[serde(default)]
    pub key_events: BTreeMap<String, Destination>,
    /// Whether and how it goes by the clock.
    #[serde(default)]
    pub time_condition: TimeCondition,
    /// Callback.
    #[serde(default)]
    pub callback: CallbackOptions,
    /// Agent options.
    #[serde(default)]
    pub agent: AgentOptions,
    /// What callers hear.
    #[serde(default)]
    pub prompts: PromptOptions,
    /// By which the agents' phones choose how to ring (`Alert-Info`), up to 63 letters, digits,
    /// `.`, `-` and `_`; empty: as for any call.
    #[serde(default)]
    pub alert_info: String,
    /// What callers are asked when the agent has hung up.
    #[serde(default)]
    pub survey: SurveyOptions,
    /// The service level.
    #[serde(default)]
    pub sla: SlaOptions,
    /// At midnight of this time zone, by its IANA name, the queue's figures and the counters of
    /// `fewest_calls` begin anew; empty: never.
    #[serde(default)]
    pub daily_reset_zone: String,
    /// The extensions of its managers, who are told of what happens.
    #[serde(default)]
    pub managers: Vec<String>,
    /// Of what they are told.
    #[serde(default)]
    pub notifications: Notifications,
    /// What its managers and its agents may.
    #[serde(default)]
    pub permissions: QueuePermissions,
    /// The agents, in list order.
    #[serde(default)]
    pub members: Vec<Member>,
}

/// Something that is worth a second look; it was saved all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// JSON pointer to the field (RFC 6901).
    pub pointer: String,
    /// `route-not-permitted`, `no-route` or `no-address`.
    pub code: String,
    /// For people.
    pub detail: String,
}

/// A queue that was written, with what is worth a second look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SavedQueue {
    /// The queue.
    #[serde(flatten)]
    pub queue: Queue,
    /// Agents who could not be rung for its callbacks since they may not use the route,
    /// and managers without an e-mail address.
    pub warnings: Vec<Warning>,
}
