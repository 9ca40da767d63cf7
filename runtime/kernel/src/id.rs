//! Identifiers that cross crates.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// A text that is not an identifier of the kind that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {kind}")]
pub struct ParseIdError {
    kind: &'static str,
    text: String,
}

impl ParseIdError {
    fn new(kind: &'static str, text: &str) -> Self {
        Self { kind, text: text.chars().take(64).collect() }
    }
}

/// What the caller experiences as one call, from the first INVITE to the last BYE. A UUIDv7,
/// so that ids sort by the time the call began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u128);

/// Text where people read it, 16 bytes where they do not.
impl Serialize for CallId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for CallId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
        } else {
            u128::deserialize(deserializer).map(Self)
        }
    }
}

const NODE_BITS: u32 = 16;
const NODE_MASK: u64 = (1 << NODE_BITS) - 1;

impl CallId {
    /// A fresh id of a call that begins now.
    #[must_use]
    pub fn fresh() -> Self {
        Self(Uuid::now_v7().as_u128())
    }

    /// A fresh id of a call that begins now at the `node`th member of a cluster. Of the random
    /// bits of the UUID the last 16 are the node's number.
    #[must_use]
    pub fn fresh_at(node: u64) -> Self {
        Self(Self::fresh().0 >> NODE_BITS << NODE_BITS | u128::from(node & NODE_MASK))
    }

    /// Whether the call began at this member, by the id.
    #[must_use]
    pub fn is_from(self, node: u64) -> bool {
        self.0 & u128::from(NODE_MASK) == u128::from(node & NODE_MASK)
    }

    /// The member at which the call began, by the id; of no meaning for an id of [`Self::fresh`].
    #[must_use]
    pub fn node(self) -> u64 {
        u64::try_from(self.0 & u128::from(NODE_MASK)).unwrap_or(NODE_MASK)
    }

    /// An id from its number, for simulation and tests.
    #[must_use]
    pub const fn from_u128(value: u128) -> Self {
        Self(value)
    }

    /// The id as a number.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_u128(self.0).hyphenated().fmt(f)
    }
}

impl FromStr for CallId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let uuid = Uuid::try_parse(text).map_err(|_| ParseIdError::new("call id", text))?;
        Ok(Self(uuid.as_u128()))
    }
}

/// One party's dialog and media within a call. Indices are given in the order of creation and
/// never come back within the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LegId {
    /// The call that owns the leg.
    pub call: CallId,
    /// Counted from 0 within the call.
    pub index: u16,
}

impl fmt::Display for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.call, self.index)
    }
}

/// A place in the journal, written `partition:index`. The index counts events from 1; index 0
/// is the place before the first event.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position {
    /// The journal's partition; 0 while there is one Raft group.
    pub partition: u16,
    /// The event's number within the partition.
    pub index: u64,
}

impl Position {
    /// The place before the first event of partition 0.
    pub const START: Self = Self { partition: 0, index: 0 };

    /// A place in partition 0.
    #[must_use]
    pub const fn at(index: u64) -> Self {
        Self { partition: 0, index }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.partition, self.index)
    }
}

impl FromStr for Position {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let refused = || ParseIdError::new("journal position", text);
        let (partition, index) = text.split_once(':').ok_or_else(refused)?;
        Ok(Self {
            partition: partition.parse().map_err(|_| refused())?,
            index: index.parse().map_err(|_| refused())?,
        })
    }
}
