//! The pages: what they show, who may see them, whether everybody can use them.

use serde_json::{Value, json};
use tandem_tests::{Browser, Office};

use crate::signed_in;

const LANGUAGES: [(&str, &str, &str); 3] = [
    ("Language", "zh-Hant-TW", "系統管理"),
    ("語言", "zh-Hans-CN", "系统管理"),
    ("语言", "en", "Administration"),
];

/// Every page of an administrator, with a text that shows when it is there.
const PAGES: [&str; 18] = [
    "/panel/#/desk",
    "/panel/#/queues",
    "/panel/#/wallboard",
    "/panel/#/calls",
    "/panel/#/missed",
    "/panel/#/admin/extensions",
    "/panel/#/admin/queues",
    "/panel/#/admin/ring-groups",
    "/panel/#/admin/ivrs",
    "/panel/#/admin/call-flows",
    "/panel/#/admin/group-voicemails",
    "/panel/#/admin/contacts",
    "/panel/#/admin/trunks",
    "/panel/#/admin/inbound-routes",
    "/panel/#/admin/outbound-routes",
    "/panel/#/admin/users",
    "/panel/#/admin/api-tokens",
    "/panel/#/admin/settings",
];

#[tokio::test]
async fn axe_finds_nothing_on_any_page_in_any_language_and_theme_and_nothing_overflows() {
    let office = Office::open().await;
    let mut browser = Browser::start(&office, 1_000).await;
    browser.tell(json!({ "do": "open", "path": "/panel/" })).await;
    browser.button("Sign in").await;
    browser.assert_accessible("sign-in").await;
    drop(browser);
    let mut browser = signed_in(&office, "admin", "1001").await;

    for (label, value, shown) in LANGUAGES {
        browser.tell(json!({ "do": "choose", "label": label, "value": value })).await;
        browser.text(shown).await;
        for page in PAGES {
            browser.tell(json!({ "do": "open", "path": page })).await;
            browser
                .tell(json!({ "do": "wait", "role": "heading", "name": "", "exact": false }))
                .await;
            for theme in ["dark", "light"] {
                browser.tell(json!({ "do": "theme", "theme": theme })).await;
                browser.assert_accessible(&format!("{page} {value} {theme}")).await;
            }
            for width in [500, 1_280] {
                let size = json!({ "do": "size", "width": width, "height": 900 });
                let overflow = browser.tell(size).await["overflow"].as_i64().unwrap();
                assert!(overflow <= 0, "{page} in {value} at {width} px overflows by {overflow}");
            }
        }
    }
    browser.assert_clean().await;
}

#[tokio::test]
async fn axe_finds_nothing_in_the_form_of_any_resource() {
    let office = Office::open().await;
    let mut browser = signed_in(&office, "admin", "1001").await;
    for page in PAGES.iter().filter(|page| page.contains("admin") && !page.ends_with("settings")) {
        browser.tell(json!({ "do": "open", "path": page })).await;
        browser.press("Add").await;
        browser.button("Save").await;
        browser.assert_accessible(page).await;
        browser.press("Cancel").await;
    }
    browser.assert_clean().await;
}

#[tokio::test]
async fn an_administrator_makes_an_extension_sees_what_is_wrong_and_who_was_faster() {
    let office = Office::open().await;
    let mut browser = signed_in(&office, "admin", "1001").await;
    browser.tell(json!({ "do": "open", "path": "/panel/#/admin/extensions" })).await;

    browser.press("Add").await;
    browser
        .tell(json!({ "do": "fill", "label": "Password", "text": "a-long-enough-Password-17" }))
        .await;
    browser.tell(json!({ "do": "fill", "label": "Number", "text": "12x" })).await;
    browser.press("Save").await;
    let wrong = browser.tell(json!({ "do": "text", "text": "digits" })).await;
    browser.tell(json!({ "do": "fill", "label": "Number", "text": "1017" })).await;
    browser.press("Save").await;
    browser.text("Saved.").await;
    browser.press("Edit: 1017").await;
    browser.tell(json!({ "do": "fill", "label": "Name", "text": "Mine" })).await;
    office.api.patch("/api/v1/extensions/1017", json!({ "name": "Theirs" })).await;
    browser.press("Save").await;
    browser.text("Somebody else changed this").await;
    browser.press("Load what is there now").await;
    browser.tell(json!({ "do": "fill", "label": "Name", "text": "Both" })).await;
    browser.press("Save").await;
    browser.text("Saved.").await;

    assert!(wrong["ok"] == true);
    let stored = office.api.get("/api/v1/extensions/1017").await;
    assert_eq!(stored["name"], "Both", "{stored}");
}

#[tokio::test]
async fn a_manager_sees_the_queue_and_the_ladder_of_a_call_and_an_agent_sees_neither() {
    let office = Office::open().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut manager = signed_in(&office, "manager", "1003").await;
    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;

    manager.tell(json!({ "do": "press", "role": "link", "name": "Queues" })).await;
    manager.button("Actions: 1000").await;
    manager.assert_accessible("a waiting caller").await;
    manager.tell(json!({ "do": "press", "role": "link", "name": "Calls" })).await;
    manager.tell(json!({ "do": "press", "role": "link", "name": "Show the call: 1000" })).await;
    manager.text("INVITE sip:6400").await;
    manager.assert_accessible("a call").await;
    let seen = manager.tell(json!({ "do": "shown" })).await;
    drop(manager);
    let mut agent = signed_in(&office, "agent", "1002").await;
    let shown = agent.tell(json!({ "do": "shown" })).await;

    assert!(!seen["text"].as_str().unwrap().contains("Administration"), "{seen}");
    assert!(!shown["text"].as_str().unwrap().contains("Administration"), "{shown}");
    assert!(!shown["text"].as_str().unwrap().contains("Queues\n"), "{shown}");
}

#[tokio::test]
async fn the_first_paint_comes_within_a_second_and_little_is_sent() {
    let office = Office::open().await;
    let mut browser = Browser::start(&office, 1_000).await;

    browser.tell(json!({ "do": "open", "path": "/" })).await;
    browser.button("Sign in").await;
    let paint = browser.tell(json!({ "do": "paint" })).await;

    assert!((0.0..1_000.0).contains(&paint["ms"].as_f64().unwrap()), "{paint}");
    assert!((1.0..300_000.0).contains(&paint["bytes"].as_f64().unwrap()), "{paint}");
    browser.assert_clean().await;
}
