//! Who is at the far end of a leg, and what is dialled to reach them.

use serde::{Deserialize, Serialize};

/// Who is at the far end of a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Party {
    /// A phone of an extension.
    Extension {
        /// Its number.
        number: String,
        /// Its name; may be empty.
        name: String,
    },
    /// Somebody behind a trunk.
    Outside {
        /// The trunk.
        trunk: String,
        /// The number.
        number: String,
        /// The name they show; may be empty.
        name: String,
    },
}

impl Party {
    /// The number that the party is known by.
    #[must_use]
    pub fn number(&self) -> &str {
        match self {
            Self::Extension { number, .. } | Self::Outside { number, .. } => number,
        }
    }

    /// The party's name; may be empty.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Extension { name, .. } | Self::Outside { name, .. } => name,
        }
    }

    /// The trunk to the party.
    #[must_use]
    pub fn trunk(&self) -> Option<&str> {
        match self {
            Self::Extension { .. } => None,
            Self::Outside { trunk, .. } => Some(trunk),
        }
    }

    /// Whether it is the same one, whatever name it shows.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.number() == other.number() && self.trunk() == other.trunk()
    }

    /// Whether it signals by the same extension or trunk.
    #[must_use]
    pub fn is_by_same_peer(&self, other: &Self) -> bool {
        self.trunk() == other.trunk() && self.extension() == other.extension()
    }

    /// The extension, if it is one.
    #[must_use]
    pub fn extension(&self) -> Option<&str> {
        match self {
            Self::Extension { number, .. } => Some(number),
            Self::Outside { .. } => None,
        }
    }
}

/// One phone of an extension: a registered contact, by its registrar key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The extension.
    pub extension: String,
    /// The extension's name.
    pub name: String,
    /// The registrar's key of the binding.
    pub binding: String,
}

impl Device {
    /// Who is there.
    #[must_use]
    pub fn party(&self) -> Party {
        Party::Extension { number: self.extension.clone(), name: self.name.clone() }
    }
}

/// One attempt over a trunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The trunk.
    pub trunk: String,
    /// The number to send.
    pub number: String,
    /// The caller ID to show; empty: the caller's own number.
    pub caller_id: String,
    /// A URI to send to instead of the trunk's, after a 3xx.
    pub uri: Option<String>,
    /// An emergency call: the trunk's limits do not hold it up.
    pub is_emergency: bool,
    /// What a begun minute costs, in thousandths of the currency unit.
    pub price_per_minute: u32,
}

impl Line {
    /// Who is there.
    #[must_use]
    pub fn party(&self) -> Party {
        let (trunk, number) = (self.trunk.clone(), self.number.clone());
        Party::Outside { trunk, number, name: String::new() }
    }
}
