//! What is known of customers who may call back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The last call of an agent to a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastCall {
    /// The call.
    pub call: String,
    /// When it began.
    pub at: String,
    /// The agent who placed it.
    pub placed_by: String,
    /// The agent who talked last, after a transfer.
    pub talked: Option<String>,
    /// The number that the customer saw; empty: the trunk's own.
    pub shown: String,
    /// The trunk.
    pub trunk: String,
    /// The channel category of the code.
    pub category: Option<String>,
}

/// What is known of a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallbackLookup {
    /// None: nobody called it.
    pub last_call: Option<LastCall>,
}

/// Caller IDs that customers can not call back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadEnds {
    /// In order.
    pub numbers: Vec<String>,
}
