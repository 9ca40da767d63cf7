//! Wallboards: arranged by people, shown on screens that nobody touches.

use serde_json::{Value, json};
use tandem_tests::{Browser, Office};
use tokio::time::{Duration, Instant, sleep};

use crate::cut::Way;
use crate::signed_in;

/// What the manager has arranged for themselves.
const BOARD: &str = "/api/v1/consoles/manager-1003";

async fn arranging(page: &mut Browser) {
    page.press("Arrange").await;
    page.button("Add a tile").await;
}

async fn place(page: &mut Browser, figure: &str) -> String {
    let of = format!("[data-tile={figure}]");
    let found = page.tell(json!({ "do": "data", "of": of, "name": "place" })).await;
    found["value"].as_str().unwrap().to_owned()
}

fn tile<'a>(board: &'a Value, layout: &str, figure: &str) -> &'a Value {
    let tiles = board[layout].as_array().unwrap();
    tiles.iter().find(|it| it["figure"] == figure).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn q_446_a_manager_adds_moves_sizes_locks_describes_and_resets_tiles() {
    let office = Office::open().await;
    let mut page = signed_in(&office, "manager", "1003").await;
    page.tell(json!({ "do": "press", "role": "link", "name": "Wallboard" })).await;
    arranging(&mut page).await;
    page.press("Add a tile").await;
    page.tell(json!({ "do": "choose", "label": "Figure", "value": "missed_rate" })).await;
    page.tell(json!({ "do": "fill", "label": "Description", "text": "Goal: 5 %" })).await;
    page.assert_accessible("a new tile").await;
    page.press("Add").await;
    page.text("Goal: 5 %").await;
    page.assert_accessible("a wallboard that is arranged").await;

    // By keyboard: one column to the right, which pushes the tile below it down; wider by one.
    page.tell(json!({ "do": "focus", "role": "group", "name": "Missed rate" })).await;
    page.key("ArrowRight").await;
    page.key("Shift+ArrowRight").await;
    assert_eq!(place(&mut page, "missed_rate").await, "1,6,4,2");
    // By pointer: the clock goes to the right end of the first row.
    page.tell(json!({ "do": "haul", "from": "[data-tile=clock]", "x": 940, "y": 0 })).await;
    assert_eq!(place(&mut page, "clock").await, "9,0,3,2");
    assert_eq!(place(&mut page, "active").await, "9,2,3,2", "pushed down");
    page.press("Lock: Date and time").await;
    page.press("Save").await;
    page.button("Arrange").await;

    let board = office.api.get(BOARD).await;
    let missed = tile(&board, "all", "missed_rate");
    assert_eq!(missed["description"], "Goal: 5 %", "{board}");
    assert_eq!([&missed["column"], &missed["width"]], [1, 4], "{board}");
    assert_eq!(tile(&board, "all", "clock")["locked"], true, "{board}");
    assert_eq!(board["single"], json!([]), "Q-447: the other layout is as it was");

    // Another page has the same; what somebody else changes in the meantime is told.
    page.tell(json!({ "do": "reload" })).await;
    page.text("Goal: 5 %").await;
    arranging(&mut page).await;
    office.api.patch(BOARD, json!({ "rotation_secs": 60 })).await;
    page.press("Delete: Waiting").await;
    page.press("Save").await;
    page.text("Somebody else changed this").await;
    page.press("Load what is there now").await;
    arranging(&mut page).await;
    page.press("Back to the usual tiles").await;
    page.press("Save").await;
    page.button("Arrange").await;
    assert_eq!(office.api.get(BOARD).await["all"], json!([]), "reset");
    // Chromium takes the refusal above for an error.
    let faults = page.tell(json!({ "do": "faults" })).await;
    assert_eq!(faults["outside"], json!([]));
}

#[tokio::test]
async fn q_405_a_wall_screen_needs_a_token_only_shows_what_is_and_comes_back_by_itself() {
    let office = Office::open().await;
    let board = json!({ "name": "room", "rotation_secs": 5 });
    office.api.post("/api/v1/wallboards", board).await;
    let mut admin = signed_in(&office, "admin", "1001").await;
    admin.tell(json!({ "do": "press", "role": "link", "name": "Wallboard" })).await;
    admin.tell(json!({ "do": "choose", "label": "Wallboard", "value": "room" })).await;
    admin.press("Address for a screen").await;
    admin.press("Make the address").await;
    let address = admin.tell(json!({ "do": "inside", "of": "[data-address]" })).await;
    let address = address["text"].as_str().unwrap().trim().to_owned();
    admin.assert_accessible("the address for a screen").await;
    drop(admin);
    let path = address.split_once("/panel/").unwrap().1;
    let way = Way::to(&office.node.listening.http).await;
    let mut screen = Browser::start_at(&office, &way.address, 1_500).await;

    // The views alternate until somebody touches it.
    screen.tell(json!({ "do": "open", "path": format!("/panel/{path}") })).await;
    screen.text("Longest wait").await;
    screen.text("Demo queue [6400]").await;
    screen.key("Shift").await;
    screen.button("Alternate the views").await;
    screen.tell(json!({ "do": "choose", "label": "View", "value": "tiles" })).await;
    screen.assert_accessible("a wall screen").await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    shows(&mut screen, "waiting", "1").await;

    way.cut();
    screen.text("Reconnecting").await;
    caller.hang_up().await;
    caller.expect_end().await;
    way.mend();
    shows(&mut screen, "waiting", "0").await;
    shows(&mut screen, "abandoned", "1").await;
    screen.tell(json!({ "do": "gone", "text": "Reconnecting" })).await;
    for (width, height) in [(500, 900), (1_920, 1_080)] {
        let size = json!({ "do": "size", "width": width, "height": height });
        let overflow = screen.tell(size).await["overflow"].as_i64().unwrap();
        assert!(overflow <= 0, "overflows by {overflow} at {width} px");
    }
    let faults = screen.tell(json!({ "do": "faults" })).await;
    assert_eq!(faults["outside"], json!([]));
    // The token looks and does nothing.
    let token = path.split_once("token=").unwrap().1;
    let wall = tandem_tests::Api::new(&format!("http://{}", office.node.listening.http), token);
    for (path, body) in [("/api/v1/calls", json!({})), ("/api/v1/wallboards", json!({}))] {
        let answer = wall.send(reqwest::Method::POST, path, &body).await;
        assert_eq!(answer.status().as_u16(), 403, "{path}");
    }
    let answer = wall.send(reqwest::Method::GET, "/api/v1/call-records", &Value::Null).await;
    assert_eq!(answer.status().as_u16(), 403);
}

async fn shows(screen: &mut Browser, figure: &str, value: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let of = format!("[data-wall={figure}]");
        let shown = screen.tell(json!({ "do": "inside", "of": of })).await;
        if shown["text"] == value {
            return;
        }
        assert!(Instant::now() < deadline, "{figure}: {shown}, not {value}");
        sleep(Duration::from_millis(50)).await;
    }
}
