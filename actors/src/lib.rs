//! What a contact centre is: calls and their legs, agents, queues, registrations, trunks.
//!
//! Every kind has a pure machine and a thin ractor shell; all business facts are events in the
//! journal, and everything that people read is a projection of it.

pub mod agent;
pub mod audit;
pub mod backup;
pub mod call;
pub mod callback;
mod codes;
pub mod connections;
pub mod copies;
pub mod entity;
pub mod event;
pub mod exchange;
pub mod figures;
pub mod flow;
pub mod gateway;
pub mod leases;
pub mod letters;
pub mod live;
pub mod mail;
pub mod numbering;
pub mod office;
pub mod outbound;
pub mod placement;
pub mod presence;
pub mod prompts;
pub mod provisioning;
pub mod queue;
mod recorder;
pub mod records;
pub mod registrar;
pub mod repeats;
pub mod root;
pub mod sessions;
pub mod softphone;
pub mod switch;
pub mod trace;
pub mod trunk;
pub mod voicemail;
pub mod whereabouts;
