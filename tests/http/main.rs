//! The HTTP edge of a running node: clear errors, and an event stream without gap or double.
#![allow(clippy::unwrap_used)]

mod compat;
mod cut;
mod errors;
mod events;
mod restart;
