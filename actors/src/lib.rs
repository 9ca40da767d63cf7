//! What a contact centre is: calls and their legs, agents, queues, registrations, trunks.
//!
//! Every kind has a pure machine and a thin ractor shell; all business facts are events in the
//! journal, and everything that people read is a projection of it.

pub mod event;
pub mod office;
pub mod provisioning;
