//! The panel in Chromium, with a microphone that plays a tone, against a real node and real phones.
#![allow(clippy::unwrap_used)]

mod audio;
mod cut;
mod desk;
mod floor;
mod groups;
mod missed;
mod pages;
mod pickup;
mod pictures;
mod together;
mod wall;

use serde_json::json;
use tandem_tests::{Browser, Office};

/// The tone of the browser's microphone, in Hz.
pub(crate) const MICROPHONE: u32 = 1_200;

const PASSWORD: &str = "correct horse battery staple";

/// Makes a user and a browser that is signed in as them.
pub(crate) async fn signed_in(office: &Office, role: &str, extension: &str) -> Browser {
    signed_in_by(office, &office.node.listening.http, role, extension).await
}

/// The same, with a page that reaches the node by another address.
pub(crate) async fn signed_in_by(
    office: &Office,
    address: &str,
    role: &str,
    extension: &str,
) -> Browser {
    let user = json!({
        "name": format!("{role}-{extension}"), "password": PASSWORD, "role": role,
        "extension": extension,
    });
    office.api.post("/api/v1/users", user).await;
    let mut browser = Browser::start_at(office, address, MICROPHONE).await;
    browser.sign_in(&format!("{role}-{extension}"), PASSWORD).await;
    browser
}

/// An office whose queue has one agent, 1001.
pub(crate) async fn office() -> Office {
    let office = Office::open().await;
    let queue = json!({
        "members": [{ "extension": "1001", "membership": "static" }],
        "agent": { "wrap_up_secs": 8, "ring_timeout_secs": 30, "retry_interval_secs": 1 },
    });
    office.api.patch("/api/v1/queues/6400", queue).await;
    let tags = json!({ "call_tags": { "offer": "Offer", "complaint": "Complaint" } });
    office.api.patch("/api/v1/settings", tags).await;
    office
}

/// An office whose one agent takes calls in a browser.
pub(crate) async fn agent_in_a_browser() -> (Office, Browser) {
    let office = office().await;
    let mut browser = signed_in(&office, "agent", "1001").await;
    browser.go_on_duty().await;
    (office, browser)
}
