//! What users arrange for themselves: groups of queues, and a wallboard of their own.

use serde_json::{Value, json};
use tandem_tests::{Browser, Office};

use crate::{PASSWORD, signed_in};

const CONSOLE: &str = "/api/v1/consoles/manager-1002";

/// A second manager, beside the one whose browser has the usual tone.
async fn another(office: &Office, extension: &str, path: &str) -> Browser {
    let name = format!("manager-{extension}");
    let user = json!({
        "name": name, "password": PASSWORD, "role": "manager", "extension": extension,
    });
    office.api.post("/api/v1/users", user).await;
    let mut page = Browser::start(office, 1_500).await;
    page.sign_in(&name, PASSWORD).await;
    page.tell(json!({ "do": "open", "path": format!("/panel/#/{path}") })).await;
    page
}

async fn opened(office: &Office, extension: &str, path: &str) -> Browser {
    let mut page = signed_in(office, "manager", extension).await;
    page.tell(json!({ "do": "open", "path": format!("/panel/#/{path}") })).await;
    page
}

async fn fill(page: &mut Browser, label: &str, text: &str) {
    page.tell(json!({ "do": "fill", "label": label, "text": text })).await;
}

async fn choose(page: &mut Browser, label: &str, value: &str) {
    page.tell(json!({ "do": "choose", "label": label, "value": value })).await;
}

#[tokio::test]
async fn q_451_q_452_q_453_a_manager_groups_queues_and_is_alarmed_by_the_groups_threshold() {
    let office = Office::open().await;
    for (number, name) in [("6401", "Service"), ("6402", "Spare")] {
        let queue = json!({ "number": number, "name": name });
        office.api.post("/api/v1/queues", queue).await;
    }
    let mut manager = opened(&office, "1002", "queues").await;

    manager.press("Groups and alarm").await;
    manager.press("Add a group").await;
    fill(&mut manager, "Name of the group", "Front").await;
    fill(&mut manager, "SLA alarm below (%)", "55").await;
    for label in ["Service [6401]", "Demo queue [6400]"] {
        manager.tell(json!({ "do": "tick", "label": label })).await;
    }
    manager.assert_accessible("a group of queues").await;
    manager.press("Apply").await;
    manager.assert_accessible("the groups").await;
    manager.press("Save").await;
    office.api.wait_for_found(CONSOLE).await;
    let kept = office.api.get(CONSOLE).await;
    let group = json!({
        "name": "Front", "queues": ["6401", "6400"], "alarm_threshold_percent": 55,
    });
    assert_eq!(kept["groups"], json!([group]));
    choose(&mut manager, "Queues shown", "group:Front").await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    caller.call("6400").await;
    manager.button("Actions: 1000").await;
    caller.hang_up().await;
    caller.expect_end().await;
    // Nobody was answered in time: 0 % of one call.
    manager.text("below 55 %").await;
    manager.assert_accessible("an alarm of the service level").await;
    manager.tell(json!({ "do": "reload" })).await;
    manager.text("below 55 %").await;
    choose(&mut manager, "Queues shown", "6402").await;
    manager.tell(json!({ "do": "gone", "text": "below" })).await;

    // Groups are their user's alone, and are offered on the wallboard as well.
    let mut other = another(&office, "1003", "queues").await;
    other.press("Groups and alarm").await;
    other.text("You have no group yet.").await;
    manager.tell(json!({ "do": "press", "role": "link", "name": "Wallboard" })).await;
    choose(&mut manager, "Queues shown", "group:Front").await;
    choose(&mut manager, "View", "queues").await;
    let service = json!({ "do": "inside", "of": "[data-wall-queue='6401']" });
    manager.tell(service).await;
    let shown = manager.tell(json!({ "do": "shown" })).await;
    assert!(!shown["text"].as_str().unwrap().contains("Spare [6402]\t"), "{shown}");
    manager.assert_clean().await;
    other.assert_clean().await;
}

#[tokio::test]
async fn q_448_each_user_has_a_wallboard_of_their_own_beside_the_shared_ones() {
    let office = Office::open().await;
    office.api.post("/api/v1/wallboards", json!({ "name": "room" })).await;
    let mut first = opened(&office, "1002", "wallboard").await;
    first.press("Arrange").await;
    first.press("Delete: Longest wait").await;
    first.press("Save").await;
    first.button("Arrange").await;
    // The other layout is as it was.
    choose(&mut first, "Queues shown", "6400").await;
    first.text("Longest wait").await;
    choose(&mut first, "Queues shown", "").await;
    first.tell(json!({ "do": "gone", "text": "Longest wait" })).await;
    choose(&mut first, "Wallboard", "room").await;
    first.text("Longest wait").await;
    let board = office.api.get("/api/v1/wallboards/room").await;
    assert_eq!(board["all"], json!([]), "the shared one is as it was");

    let mut second = another(&office, "1003", "wallboard").await;
    second.text("Longest wait").await;
    // In a window of its own, too.
    second.tell(json!({ "do": "open", "path": "/panel/?#/screen?board=" })).await;
    second.text("Longest wait").await;
    first.tell(json!({ "do": "open", "path": "/panel/?#/screen?board=" })).await;
    first.text("Idle agents").await;
    first.tell(json!({ "do": "gone", "text": "Longest wait" })).await;
    first.assert_clean().await;
    second.assert_clean().await;
}
