//! What the managers and the agents of a queue may do with it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a manager of a queue can be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ManagerRight {
    /// The wallboard of the queue.
    Wallboard,
    /// The queue panel.
    Panel,
    /// To log other agents in and out, to pause and resume them.
    AgentState,
    /// To redirect and transfer calls.
    Distribution,
    /// To take over and to end the agents' calls.
    PickUp,
    /// To listen, to whisper and to barge in.
    Monitor,
    /// To park calls.
    Park,
    /// To switch the recording of agents' calls.
    Recording,
    /// To see the queue's missed calls.
    MissedCalls,
    /// To delete them.
    DeleteMissedCalls,
}

impl ManagerRight {
    const ALL: [Self; 10] = [
        Self::Wallboard,
        Self::Panel,
        Self::AgentState,
        Self::Distribution,
        Self::PickUp,
        Self::Monitor,
        Self::Park,
        Self::Recording,
        Self::MissedCalls,
        Self::DeleteMissedCalls,
    ];
}

/// What an agent of a queue can be granted beside the call log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentRight {
    /// The wallboard of the queue.
    Wallboard,
    /// The queue panel.
    Panel,
    /// To redirect and transfer calls.
    Distribution,
    /// To take over and to end other agents' calls.
    PickUp,
    /// To park calls.
    Park,
}

/// Which records of the queue call log an agent sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallLogScope {
    /// Those that they answered, and the queue's missed ones.
    #[default]
    All,
    /// Those that they answered.
    Inbound,
    /// The queue's missed ones.
    Missed,
}

/// The agents' right to see the queue call log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallLogRight {
    /// The switch.
    pub enabled: bool,
    /// The agents who have it; empty: all of the queue.
    pub agents: Vec<String>,
    /// What they see.
    pub scope: CallLogScope,
}

/// What the agents of a queue may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AgentRights {
    /// What is granted; `panel` if left out.
    pub rights: BTreeSet<AgentRight>,
    /// The queue call log.
    pub call_log: CallLogRight,
}

impl Default for AgentRights {
    fn default() -> Self {
        Self { rights: [AgentRight::Panel].into(), call_log: CallLogRight::default() }
    }
}

/// What the managers of a queue may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ManagerRights {
    /// What is granted; everything if left out.
    pub rights: BTreeSet<ManagerRight>,
}

impl Default for ManagerRights {
    fn default() -> Self {
        Self { rights: ManagerRight::ALL.into() }
    }
}

/// What may be done with a queue, by its managers and by its agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueuePermissions {
    /// What its managers may.
    pub manager: ManagerRights,
    /// What its agents may.
    pub agent: AgentRights,
}
