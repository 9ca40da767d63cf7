//! Queues with real telephones: who rings when, what the caller hears, how each caller leaves.
#![allow(clippy::unwrap_used)]

mod agents;
mod announcements;
mod callback;
mod exits;
mod failures;
mod hours;
mod letters;
mod level;
mod log;
mod misses;
mod music;
mod presence;
mod priority;
mod rights;
mod scenarios;
mod strategies;
mod survey;
mod talk;

use serde_json::{Value, json};
use tandem_tests::{Office, Phone};

/// Changes the demo queue.
pub(crate) async fn set(office: &Office, patch: Value) {
    office.api.patch("/api/v1/queues/6400", patch).await;
}

/// Members in list order.
pub(crate) fn members(membership: &str, extensions: &[&str]) -> Value {
    extensions
        .iter()
        .map(|extension| json!({ "extension": extension, "membership": membership }))
        .collect()
}

/// Telephones of several agents, each with a tone of its own from 1100 Hz in steps of 200.
pub(crate) async fn agents(office: &Office, extensions: &[&str], more: Value) -> Vec<Phone> {
    let starts = extensions.iter().enumerate().map(|(index, extension)| {
        office.phone(extension, 1100 + 200 * u32::try_from(index).unwrap(), more.clone())
    });
    futures::future::join_all(starts).await
}
