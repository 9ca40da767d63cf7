//! What the HTTP edge says and hears: the outward types, frozen for clients.
//!
//! | Concern                                   | Owner          |
//! |-------------------------------------------|----------------|
//! | Provisioned resources                     | [`resource`]   |
//! | Many resources in one request             | [`import`]     |
//! | Callbacks                                 | [`callback`]   |
//! | Live calls and their traces               | [`call`]       |
//! | Agents and queues as they are now         | [`floor`]      |
//! | Outbound codes at work                    | [`outbound`]   |
//! | Records of ended calls                    | [`record`]     |
//! | Who has left a queue                      | [`queue_log`]  |
//! | Messages of mailboxes                     | [`voicemail`]  |
//! | Uploaded prompts                          | [`prompt`]     |
//! | Sign-in                                   | [`session`]    |
//! | Who has changed what                      | [`audit`]      |
//! | The event stream                          | [`event`]      |
//! | What people are doing                     | [`presence`]   |
//! | The phone in a browser                    | [`phone`]      |
//! | Errors                                    | [`problem`]    |
//! | What each error means and what helps      | [`pages`]      |
//!
//! Invariants: fields are added, never renamed; times are RFC 3339 in UTC; spans end in `_secs`;
//! a secret that is read in is never written out.

pub mod audit;
pub mod call;
pub mod callback;
pub mod event;
pub mod floor;
pub mod import;
pub mod note;
pub mod outbound;
pub mod pages;
pub mod phone;
pub mod presence;
pub mod problem;
pub mod prompt;
pub mod queue_log;
pub mod record;
pub mod resource;
pub mod session;
pub mod voicemail;

pub use problem::{FieldProblem, Problem};
