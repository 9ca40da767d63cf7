#![allow(clippy::unwrap_used)]

mod digits;
mod hearing;
mod network;
mod world;
