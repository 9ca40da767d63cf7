//! Pictures of the pages for the manual, made of a floor at work. With `TANDEM_PICTURES=1` they
//! go to `http/manual/pictures`, else beside the test's other files; they are made, and held to
//! their width, either way.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tandem_tests::{Browser, Office};
use tokio::time::{Duration, sleep};

use crate::{PASSWORD, agent_in_a_browser};

/// What all pictures may weigh together, in bytes.
const MOST_BYTES: u64 = 1_500_000;
const WIDTHS: [u32; 2] = [500, 1_280];

/// Name, place and how it is reached.
const PAGES: [(&str, &str); 19] = [
    ("queues", "queues"),
    ("wallboard", "wallboard"),
    ("calls", "calls"),
    ("queue-log", "missed"),
    ("extensions", "admin/extensions"),
    ("admin-queues", "admin/queues"),
    ("ring-groups", "admin/ring-groups"),
    ("menus", "admin/ivrs"),
    ("call-flows", "admin/call-flows"),
    ("group-mailboxes", "admin/group-voicemails"),
    ("office-hours", "admin/time-profiles"),
    ("contacts", "admin/contacts"),
    ("trunks", "admin/trunks"),
    ("inbound-routes", "admin/inbound-routes"),
    ("outbound-routes", "admin/outbound-routes"),
    ("users", "admin/users"),
    ("api-tokens", "admin/api-tokens"),
    ("settings", "admin/settings"),
    ("desk-off-duty", "desk"),
];

const LANGUAGES: [(&str, &str, &str); 3] = [
    ("Language", "zh-Hant-TW", "系統管理"),
    ("語言", "zh-Hans-CN", "系统管理"),
    ("语言", "en", "Administration"),
];

struct Album {
    dir: PathBuf,
    bytes: u64,
}

impl Album {
    fn open(office: &Office) -> Self {
        let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../http/manual/pictures");
        let wanted = std::env::var_os("TANDEM_PICTURES").is_some();
        let dir = if wanted { manual } else { office.dir().join("pictures") };
        std::fs::create_dir_all(&dir).unwrap();
        Self { dir, bytes: 0 }
    }

    async fn take(&mut self, page: &mut Browser, name: &str, language: &str) {
        for width in WIDTHS {
            self.take_at(page, name, language, width).await;
        }
    }

    /// The manual is in English; the pictures of other languages are only looked at.
    async fn take_at(&mut self, page: &mut Browser, name: &str, language: &str, width: u32) {
        let size = json!({ "do": "size", "width": width, "height": 900 });
        let overflow = page.tell(size).await["overflow"].as_i64().unwrap();
        assert!(overflow <= 0, "{name} in {language} at {width} px overflows by {overflow}");
        let beside = self.dir.join(format!("../../../target/pictures/{language}"));
        let dir = if language == "en" { self.dir.clone() } else { beside };
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join(format!("{name}-{width}.webp"));
        let made = page.tell(json!({ "do": "picture", "path": path })).await;
        if language == "en" {
            self.bytes += made["bytes"].as_u64().unwrap();
        }
    }
}

/// A second queue, people with names, a wallboard, calls that were and calls that are.
async fn furnish(office: &Office) {
    let names = [("1001", "Chen Mei"), ("1002", "Lin Wei"), ("1003", "Wang Fang")];
    for (number, name) in names {
        office.api.patch(&format!("/api/v1/extensions/{number}"), json!({ "name": name })).await;
    }
    let member = |number: &str, kind: &str| json!({ "extension": number, "membership": kind });
    let members = [member("1001", "static"), member("1002", "dynamic"), member("1003", "static")];
    office.api.patch("/api/v1/queues/6400", json!({ "name": "Sales", "members": members })).await;
    let support = json!({
        "number": "6401", "name": "Support", "members": [member("1003", "static")],
    });
    office.api.post("/api/v1/queues", support).await;
    let tile = |figure: &str, column: u8, width: u8, description: &str| {
        json!({
            "figure": figure, "column": column, "row": 0, "width": width, "height": 3,
            "description": description,
        })
    };
    let all = [tile("waiting", 0, 5, "Goal: none longer than a minute"), tile("active", 5, 4, "")];
    office.api.post("/api/v1/wallboards", json!({ "name": "sales-floor", "all": all })).await;
    office.trunk("carrier", "127.0.0.2", 5_060).await;
    let to = json!({ "type": "queue", "number": "6400" });
    office.inbound("sales line", "0225550100", to).await;
    let contact = json!({
        "id": "chang", "name": "Chang Li", "company": "Acme", "numbers": ["0912-345-678"],
    });
    office.api.post("/api/v1/contacts", contact).await;
    let token = json!({ "name": "crm", "role": "manager" });
    office.api.post("/api/v1/api-tokens", token).await;
}

async fn sign_in_as_admin(office: &Office) -> Browser {
    let user = json!({ "name": "lin", "password": PASSWORD, "role": "admin" });
    office.api.post("/api/v1/users", user).await;
    let mut admin = Browser::start(office, 1_500).await;
    admin.sign_in("lin", PASSWORD).await;
    admin
}

#[tokio::test]
async fn each_page_has_its_picture_wide_and_narrow() {
    let (office, mut agent) = agent_in_a_browser().await;
    furnish(&office).await;
    let mut album = Album::open(&office);
    let mut customer = office.phone("1000", 700, Value::Null).await;
    customer.call("6400").await;
    agent.button("Answer").await;
    agent.press("Answer").await;
    customer.expect_state("CONFIRMED").await;
    agent.tell(json!({ "do": "fill", "label": "Note", "text": "Wants an offer by Friday" })).await;
    agent.tell(json!({ "do": "tick", "label": "Offer" })).await;
    agent.press("Save the note").await;
    agent.text("Saved.").await;
    album.take(&mut agent, "desk", "en").await;
    agent.press("Hang up").await;
    customer.expect_end().await;
    agent.text("Wrap-up").await;
    album.take(&mut agent, "wrap-up", "en").await;
    let record = office.api.record("queue=6400").await;

    // One talks, one waits; those who would be rung are paused.
    office.api.post("/api/v1/agents/1001/resume", json!({})).await;
    customer.forget();
    customer.call("6400").await;
    agent.button("Answer").await;
    agent.press("Answer").await;
    office.api.post("/api/v1/agents/1003/pause", json!({ "reason": "*01" })).await;
    let mut second = office.phone("1004", 800, Value::Null).await;
    second.call("6400").await;
    let mut admin = sign_in_as_admin(&office).await;
    admin.tell(json!({ "do": "open", "path": "/panel/#/wallboard" })).await;
    let board = json!({ "do": "choose", "label": "Wallboard", "value": "sales-floor" });
    admin.tell(board).await;
    for (label, value, shown) in LANGUAGES {
        admin.tell(json!({ "do": "choose", "label": label, "value": value })).await;
        admin.text(shown).await;
        for (name, place) in PAGES {
            admin.tell(json!({ "do": "open", "path": format!("/panel/#/{place}") })).await;
            let heading = json!({ "do": "wait", "role": "heading", "name": "", "exact": false });
            admin.tell(heading).await;
            sleep(Duration::from_millis(300)).await;
            album.take(&mut admin, name, value).await;
        }
    }
    let call = format!("/panel/#/calls/{}", record["id"].as_str().unwrap());
    admin.tell(json!({ "do": "open", "path": call })).await;
    admin.text("INVITE sip:6400").await;
    album.take(&mut admin, "call", "en").await;
    admin.tell(json!({ "do": "open", "path": "/panel/#/wallboard" })).await;
    admin.press("Arrange").await;
    admin.button("Add a tile").await;
    album.take(&mut admin, "wallboard-arrange", "en").await;
    admin.tell(json!({ "do": "open", "path": "/panel/#/admin/queues" })).await;
    admin.press("Edit: 6400").await;
    admin.button("Save").await;
    album.take(&mut admin, "queue-form", "en").await;
    admin.tell(json!({ "do": "open", "path": "/panel/#/queues" })).await;
    for width in WIDTHS {
        // A menu keeps its place for a moment while the window changes.
        admin.tell(json!({ "do": "size", "width": width, "height": 900 })).await;
        admin.press("Actions: 1004").await;
        admin.tell(json!({ "do": "wait", "role": "menuitem", "name": "Redirect" })).await;
        album.take_at(&mut admin, "queues-menu", "en", width).await;
        admin.key("Escape").await;
    }

    assert!(album.bytes < MOST_BYTES, "the pictures weigh {} bytes", album.bytes);
}
