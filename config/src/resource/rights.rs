//! What the managers and the agents of a queue may do with it (Q-280 to Q-282, appendix A).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What a manager of a queue can be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// All of them.
    pub const ALL: [Self; 10] = [
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

impl AgentRight {
    /// The right of the same name as a manager has it.
    #[must_use]
    pub const fn of_manager(self) -> ManagerRight {
        match self {
            Self::Wallboard => ManagerRight::Wallboard,
            Self::Panel => ManagerRight::Panel,
            Self::Distribution => ManagerRight::Distribution,
            Self::PickUp => ManagerRight::PickUp,
            Self::Park => ManagerRight::Park,
        }
    }
}

/// Which records of the queue call log an agent sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentRights {
    /// What is granted.
    pub rights: BTreeSet<AgentRight>,
    /// The queue call log.
    pub call_log: CallLogRight,
}

impl Default for AgentRights {
    /// Nothing but the panel.
    fn default() -> Self {
        Self { rights: [AgentRight::Panel].into(), call_log: CallLogRight::default() }
    }
}

/// What the managers of a queue may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ManagerRights {
    /// What is granted.
    pub rights: BTreeSet<ManagerRight>,
}

impl Default for ManagerRights {
    /// Everything.
    fn default() -> Self {
        Self { rights: ManagerRight::ALL.into() }
    }
}

/// What may be done with a queue, by its managers and by its agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueuePermissions {
    /// What its managers may.
    pub manager: ManagerRights,
    /// What its agents may.
    pub agent: AgentRights,
}

/// What somebody may do with a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// What is granted, by the names of managers' rights: theirs hold those of agents.
    pub rights: BTreeSet<ManagerRight>,
    /// Which records of the call log they see as an agent.
    pub call_log: Option<CallLogScope>,
}

impl Grants {
    /// Everything that can be granted.
    #[must_use]
    pub fn whole() -> Self {
        Self { rights: ManagerRight::ALL.into(), call_log: Some(CallLogScope::All) }
    }

    /// Whether a right is among them.
    #[must_use]
    pub fn may(&self, right: ManagerRight) -> bool {
        self.rights.contains(&right)
    }
}

impl super::Queue {
    /// What an extension may do with the queue: as its manager, as its agent, or as both, which
    /// is the union.
    #[must_use]
    pub fn grants(&self, extension: &str) -> Grants {
        let QueuePermissions { manager, agent } = &self.permissions;
        let mut grants = Grants::default();
        if self.managers.iter().any(|known| known == extension) {
            grants.rights.extend(&manager.rights);
        }
        if self.members.iter().any(|member| member.extension == extension) {
            grants.rights.extend(agent.rights.iter().map(|right| right.of_manager()));
            let log = &agent.call_log;
            let is_named =
                log.agents.is_empty() || log.agents.iter().any(|known| known == extension);
            grants.call_log = (log.enabled && is_named).then_some(log.scope);
        }
        grants
    }
}
