#![allow(clippy::unwrap_used)]

mod digits;
mod hearing;
mod network;
mod recording;
mod world;
