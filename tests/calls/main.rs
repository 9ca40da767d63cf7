//! Calls between real telephones, pjsua2 and SIPp, through a node as a process of its own.
#![allow(clippy::unwrap_used)]

mod audio;
mod codecs;
mod contacts;
mod control;
mod delay;
mod outcomes;
mod pickup;
mod replaces;
mod together;
mod transfers;
