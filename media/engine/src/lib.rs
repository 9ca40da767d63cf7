//! The audio plane: sockets, packets, codecs and the mixer of a node.
//!
//! A call is a scene: legs and players, and who hears whom. Two legs that hear exactly each
//! other with the same codec are relayed without decoding; everything else is decoded, mixed
//! and encoded on a 20 ms tick.
//!
//! | Concern                                            | Owner        |
//! |----------------------------------------------------|--------------|
//! | What callers say to the engine and hear from it    | [`types`]    |
//! | Reserving ports, routing commands to a worker      | [`handle`]   |
//! | A call's legs, players and hearing, sans-IO        | `scene`      |
//! | Which scene a packet belongs to, time slices       | `worker`     |
//! | Sockets and threads                                | `shell`      |
//! | Payload to samples and back, rates                 | `codec`      |
//! | Prompts and music on disk                          | `library`    |
//! | What a leg says, into a file                       | `recording`  |
//! | The sum of what one listener hears                 | [`mix`]      |
//! | Browsers                                           | [`webrtc`]   |
//!
//! Invariant: all legs of one call live on one worker, so a scene is never shared or locked.

mod codec;
pub mod handle;
mod library;
mod mailbox;
pub mod mix;
mod outbox;
mod ports;
mod recording;
mod resample;
mod scene;
mod shell;
mod tone;
pub mod types;
pub mod webrtc;
mod worker;

pub use handle::{Handle, fresh_key, start};
pub use library::playing_time;
pub use recording::{Recorded, RecordedLater};
pub use shell::go_first;
pub use types::{
    Backend, Config, DtmfBy, EngineError, Item, LastStats, LegStats, Load, LocalMedia, MediaEvent,
    MediaSink, PlayerId, Programme, Source, Tone,
};
