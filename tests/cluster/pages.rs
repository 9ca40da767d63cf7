//! Several pages at once, half of them at the member that dies, all with a call that is there.

use serde_json::json;
use tandem_tests::sound::{Recording, profile};
use tandem_tests::{Browser, Phone, Relay};
use tokio::time::{Duration, sleep};

use crate::Three;
use crate::queues::placed;

const PASSWORD: &str = "correct horse battery staple";

/// How long a talk may be without sound, in seconds (issue: 3 s at most).
const LONGEST_GAP: f64 = 3.0;

/// How many; `TANDEM_PAGES=10` for more. Each is a browser of its own, which this machine has to
/// carry beside three nodes.
fn pages() -> u32 {
    std::env::var("TANDEM_PAGES").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// A caller and the page that talks with them.
struct Talk {
    page: Browser,
    caller: Phone,
    /// The tone of the page's microphone, in Hz; no two are the same.
    hertz: u32,
}

/// The `number`th page, as extension 20xx, answers extension 30xx.
async fn talk(three: &Three, relay: &Relay, number: u32) -> Talk {
    let (desk, far) = (format!("20{number:02}"), format!("30{number:02}"));
    for extension in [&desk, &far] {
        let body = json!({ "number": extension, "password": PASSWORD });
        three.api(0).post("/api/v1/extensions", body).await;
    }
    let user = json!({ "name": desk, "password": PASSWORD, "role": "agent", "extension": desk });
    three.api(0).post("/api/v1/users", user).await;
    let (hertz, home) = (1_000 + 50 * number, three.machines[0].dir.path());
    let mut page = Browser::open(home, &relay.address(), hertz).await;
    page.sign_in(&desk, PASSWORD).await;
    page.go_on_duty().await;
    let (server, more) = (three.node(0).sip("udp"), json!({ "tone": 700 }));
    let mut caller = Phone::registered(server, &far, PASSWORD, home, more).await;
    caller.call(&desk).await;
    page.press("Answer").await;
    page.button("Hold").await;
    Talk { page, caller, hertz }
}

#[tokio::test]
async fn pages_talk_on_together_when_the_member_of_their_calls_dies() {
    let mut three = placed().await;
    let dying = Relay::to(&three.node(0).listening.http).await;
    let other = Relay::to(&three.node(1).listening.http).await;
    let mut talks = Vec::new();
    for number in 0..pages() {
        let relay = if number % 2 == 0 { &dying } else { &other };
        talks.push(talk(&three, relay, number).await);
    }
    let mut heard = Vec::new();
    for talk in &mut talks {
        talk.page.assert_hears(700.0).await;
        heard.push(talk.caller.record("death").await);
    }
    sleep(Duration::from_secs(2)).await;

    three.kill(0).await;
    dying.lead_to(&three.node(1).listening.http);
    sleep(Duration::from_secs(8)).await;

    let mut gaps = Vec::new();
    for (talk, path) in talks.iter_mut().zip(&heard) {
        talk.page.assert_hears(700.0).await;
        talk.page.press("Hang up").await;
        talk.caller.expect_end().await;
        let recording = Recording::read(path);
        let gap = recording.longest_gap(f64::from(talk.hertz));
        assert!(gap <= LONGEST_GAP, "{gap:.2} s without {}{}", talk.hertz, profile(&recording));
        gaps.push(gap);
    }
    gaps.sort_by(f64::total_cmp);
    println!("{} pages, longest gaps in s: {gaps:.2?}", talks.len());
    let ended = |page: &serde_json::Value| {
        let all = page["items"].as_array().map_or(&[][..], Vec::as_slice);
        all.len() == talks.len() && all.iter().all(|record| record["outcome"] == "answered")
    };
    three.api(1).wait_for("/api/v1/call-records", ended).await;
}
