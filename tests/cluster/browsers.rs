//! Agents whose phone is a page, in a cluster: the page, the caller and what dies are at members
//! of their own. The page reaches the members by one address, as by a virtual one.

use serde_json::{Value, json};

use tandem_tests::sound::{Recording, assert_heard, profile};
use tandem_tests::{Browser, Phone, Relay};
use tokio::time::{Duration, sleep};

use crate::Three;
use crate::calls::call_at;
use crate::queues::{phone, placed};

/// The tone of the page's microphone, in Hz.
const MICROPHONE: u32 = 1_200;
const PASSWORD: &str = "correct horse battery staple";

/// How long a talk may be without sound when a member dies, in seconds (issue: 3 s at most).
const LONGEST_GAP: f64 = 3.0;

/// The agent's page, signed in by `relay`, as the phone of 1001.
async fn on_duty(three: &Three, member: usize, relay: &Relay) -> Browser {
    let agent = json!({
        "name": "ada", "password": PASSWORD, "role": "agent", "extension": "1001",
    });
    three.api(member).post("/api/v1/users", agent).await;
    let queue = json!({ "members": [{ "extension": "1001", "membership": "static" }] });
    three.api(member).patch("/api/v1/queues/6400", queue).await;
    let home = three.machines[member].dir.path();
    let mut page = Browser::open(home, &relay.address(), MICROPHONE).await;
    page.sign_in("ada", PASSWORD).await;
    page.go_on_duty().await;
    page
}

/// A caller at one member is answered by the page at another.
async fn talking(three: &Three, caller_at: usize, page: &mut Browser) -> Phone {
    let mut caller = phone(three, caller_at, "1000", 700).await;
    caller.call("6400").await;
    page.button("Answer").await;
    page.press("Answer").await;
    page.button("Hold").await;
    sleep(Duration::from_secs(1)).await;
    page.assert_hears(700.0).await;
    caller
}

/// Page and caller hear each other, the buttons work, and one record says so.
async fn assert_goes_on(three: &Three, member: usize, page: &mut Browser, mut caller: Phone) {
    let heard = caller.record("after").await;
    sleep(Duration::from_secs(3)).await;
    page.assert_hears(700.0).await;
    page.press("Hold").await;
    page.button("Resume").await;
    sleep(Duration::from_millis(500)).await;
    page.assert_hears_not(700.0).await;
    page.press("Resume").await;
    page.button("Hold").await;
    sleep(Duration::from_secs(1)).await;
    page.assert_hears(700.0).await;
    page.press("Hang up").await;
    caller.expect_end().await;
    page.text("No call").await;
    sleep(Duration::from_millis(300)).await;

    assert_heard(&heard, f64::from(MICROPHONE), 2.0);
    let record = three.api(member).record("number=1000").await;
    assert_eq!(record["outcome"], "answered", "{record}");
    assert_eq!(record["queue"]["agent"], "1001", "{record}");
}

fn assert_no_long_gap(path: &std::path::Path) {
    let recording = Recording::read(path);
    let gap = recording.longest_gap(f64::from(MICROPHONE));
    println!("longest gap {gap:.2} s of {:.1} s", recording.secs());
    assert!(gap <= LONGEST_GAP, "{gap:.2} s without the agent{}", profile(&recording));
}

#[tokio::test]
async fn a_page_at_another_member_talks_on_when_the_member_of_its_call_dies() {
    let mut three = placed().await;
    let relay = Relay::to(&three.node(1).listening.http).await;
    let mut page = on_duty(&three, 1, &relay).await;
    let mut caller = talking(&three, 0, &mut page).await;
    let (_, before) = call_at(&three, &[0]).await;
    let heard = caller.record("death").await;
    sleep(Duration::from_secs(1)).await;

    three.kill(0).await;
    let (member, after) = call_at(&three, &[1, 2]).await;
    println!("member {member} has the call");
    assert_eq!(after["id"], before["id"]);
    sleep(Duration::from_secs(3)).await;

    assert_no_long_gap(&heard);
    assert_goes_on(&three, member, &mut page, caller).await;
}

/// The caller is at one member, the page at another, whom it asks at the third: the second call
/// is begun where the first one is.
#[tokio::test]
async fn a_page_at_another_member_transfers_its_caller_after_asking() {
    let three = placed().await;
    let relay = Relay::to(&three.node(1).listening.http).await;
    let mut page = on_duty(&three, 1, &relay).await;
    let mut caller = talking(&three, 0, &mut page).await;
    let mut third = phone(&three, 2, "1002", 900).await;

    page.press("Transfer").await;
    page.tell(json!({ "do": "fill", "label": "Transfer to", "text": "1002" })).await;
    page.press("Ask first").await;
    third.expect("incoming").await;
    third.answer().await;
    sleep(Duration::from_secs(1)).await;
    page.assert_hears(900.0).await;
    page.press("Connect with Phone 1000").await;
    page.text("No call").await;
    let heard = [caller.record("caller").await, third.record("third").await];
    sleep(Duration::from_secs(3)).await;
    caller.hang_up().await;
    caller.expect_end().await;
    third.expect_end().await;
    sleep(Duration::from_millis(300)).await;

    assert_heard(&heard[0], 900.0, 2.0);
    assert_heard(&heard[1], 700.0, 2.0);
    page.assert_clean().await;
}

/// The page comes back at a member that does not have the call.
#[tokio::test]
async fn a_page_whose_member_dies_with_its_call_comes_back_at_another_and_talks_on() {
    let mut three = placed().await;
    let relay = Relay::to(&three.node(0).listening.http).await;
    let mut page = on_duty(&three, 0, &relay).await;
    let mut caller = talking(&three, 0, &mut page).await;
    let heard = caller.record("death").await;
    sleep(Duration::from_secs(1)).await;

    three.kill(0).await;
    let (heir, _) = call_at(&three, &[1, 2]).await;
    relay.lead_to(&three.node(3 - heir).listening.http);
    page.button("Hold").await;
    sleep(Duration::from_secs(5)).await;

    assert_no_long_gap(&heard);
    assert_goes_on(&three, heir, &mut page, caller).await;
}

#[tokio::test]
async fn a_page_that_moves_to_another_member_takes_its_call_along() {
    let three = placed().await;
    let relay = Relay::to(&three.node(0).listening.http).await;
    let mut page = on_duty(&three, 0, &relay).await;
    let mut caller = talking(&three, 0, &mut page).await;
    let heard = caller.record("move").await;
    sleep(Duration::from_secs(1)).await;

    relay.lead_to(&three.node(2).listening.http);
    relay.break_off();
    sleep(Duration::from_millis(100)).await;
    relay.mend();
    let there = |calls: &Value| calls["items"].as_array().is_some_and(|all| all.len() == 1);
    three.api(2).wait_for("/api/v1/calls", there).await;
    sleep(Duration::from_secs(4)).await;

    assert_no_long_gap(&heard);
    assert_goes_on(&three, 2, &mut page, caller).await;
}
