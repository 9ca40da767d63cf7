//! The harness of the tests with real peers: a node process, phones, its HTTP API, sound.
//!
//! | Concern                                | Owner       |
//! |----------------------------------------|-------------|
//! | A node as a process of its own         | [`node`]    |
//! | The node, its folder, its phones       | [`office`]  |
//! | Members of a cluster                   | [`members`] |
//! | pjsua2 telephones                      | [`phone`]   |
//! | What runs scripts                      | [`python`]  |
//! | baresip telephones                     | [`baresip`] |
//! | Chromium with a microphone             | [`browser`] |
//! | SIPp scenarios                         | [`sipp`]    |
//! | Hundreds of telephones without audio   | [`ua`]      |
//! | Ports that no other socket takes      | [`ports`]   |
//! | SIP by hand                            | [`wire`]    |
//! | Requests to the HTTP API               | [`api`]     |
//! | A network that freezes and breaks      | [`relay`]   |
//! | An SMTP server                         | [`smtp`]    |
//! | What is in a recording                 | [`sound`]   |
#![allow(clippy::unwrap_used)]

pub mod api;
pub mod baresip;
pub mod browser;
pub mod edge;
pub mod members;
pub mod node;
pub mod office;
pub mod phone;
pub mod ports;
pub mod python;
pub mod relay;
pub mod sipp;
pub mod smtp;
pub mod sound;
mod turns;
pub mod ua;
pub mod wire;
pub mod ws_phone;

pub use api::Api;
pub use baresip::Baresip;
pub use browser::Browser;
pub use edge::Edge;
pub use members::Machine;
pub use node::Node;
pub use office::Office;
pub use phone::Phone;
pub use relay::Relay;
pub use sipp::Sipp;
pub use smtp::Smtp;
pub use ua::Ua;
pub use wire::Wire;
pub use ws_phone::WsPhone;
