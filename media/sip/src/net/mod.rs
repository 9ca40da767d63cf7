//! The SIP endpoint: sockets, connections, names and limits around the transaction layer.
//!
//! | Concern                                          | Owner                        |
//! |--------------------------------------------------|------------------------------|
//! | What a user of the endpoint calls and gets       | `config`, `event`, `handle`  |
//! | What happens to a received message               | `receive`                    |
//! | How a request finds its way out                  | `send`, `resolve`            |
//! | Datagram sockets, connections                    | `udp`, `stream`, `ws`, `links` |
//! | Flows of other members of a cluster              | `remote`                     |
//! | Floods, bans, who may be answered at all         | `guard`, `stateless`         |
//! | Which dialog's user gets an in-dialog request    | `dialogs`                    |
//! | States and retransmissions                       | [`crate::transaction`]       |
//!
//! Invariants: no lock is held while a sink runs or a task waits; whatever a peer sends, it
//! gets at most one bounded answer, and nothing grows without a limit.

mod config;
mod dialogs;
mod endpoint;
mod event;
mod guard;
mod handle;
mod links;
mod receive;
mod remote;
mod resolve;
mod send;
mod stateless;
mod stats;
mod stream;
mod stun;
mod udp;
mod ws;

#[cfg(test)]
mod tests;

pub use config::{
    BoundListener, Config, Direction, Limits, Listener, NetError, Tap, TapRecord, Transport,
};
pub use event::{Inbound, Sink, Target, TuEvent};
pub use guard::{Ban, Offence, Prefix};
pub use handle::{Attachment, Handle, start};
pub use remote::{Carrier, RemoteFlow};
pub use stats::Stats;

pub use crate::transaction::{FlowId, Timers, TxnId};
