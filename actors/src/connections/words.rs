//! What members say to each other of the flows of phones. All of it crosses nodes: variants are
//! only added at the end.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tandem_kernel::Timestamp;
use tandem_sip::net::{FlowId, Transport};

/// Of a flow of the hearing or the speaking member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlowWord {
    /// A message for a flow of the hearing member.
    Put {
        /// The flow.
        flow: FlowId,
        /// One whole SIP message.
        message: Bytes,
        /// When it was said.
        at: Timestamp,
    },
    /// A message for the hearing member, which came on a flow of the speaking one.
    Came {
        /// The flow.
        flow: FlowId,
        /// How it travels.
        transport: Transport,
        /// The `host:port` by which the peer reaches the speaking member.
        address: String,
        /// One whole SIP message.
        message: Bytes,
        /// When it was said.
        at: Timestamp,
    },
    /// A connection of the speaking member is closed.
    Lost {
        /// The flow.
        flow: FlowId,
    },
}
