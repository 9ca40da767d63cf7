//! A page that loses the node for a while: the audio has a path of its own, and goes on.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::sound::{Recording, profile};
use tandem_tests::{Browser, Office};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::MICROPHONE;

/// How long an agent's call may be without sound after a cut or a reload, in seconds.
const LONGEST_GAP: f64 = 2.0;

/// A way to a node that can be cut: what goes by it is closed, and nothing new gets through.
pub(crate) struct Way {
    pub(crate) address: String,
    is_open: watch::Sender<bool>,
}

impl Way {
    pub(crate) async fn to(node: &str) -> Self {
        let node = node.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (is_open, watching) = watch::channel(true);
        tokio::spawn(async move {
            loop {
                let (mut page, _) = listener.accept().await.unwrap();
                let (mut watching, node) = (watching.clone(), node.clone());
                tokio::spawn(async move {
                    let mut onward = TcpStream::connect(node).await.unwrap();
                    tokio::select! {
                        _ended = copy_bidirectional(&mut page, &mut onward) => {}
                        _cut = watching.wait_for(|open| !open) => {}
                    }
                });
            }
        });
        Self { address, is_open }
    }

    pub(crate) fn cut(&self) {
        self.is_open.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.is_open.send_replace(true);
    }
}

async fn talking(office: &Office, agent: &mut Browser) -> tandem_tests::Phone {
    let mut caller = office.phone("1000", 700, Value::Null).await;
    caller.call("6400").await;
    agent.button("Answer").await;
    agent.press("Answer").await;
    caller.expect_state("CONFIRMED").await;
    agent.button("Hold").await;
    caller
}

/// The page and the node agree that there is one call, and who is in it.
async fn assert_one_call(office: &Office, agent: &mut Browser) {
    let calls = office.api.get("/api/v1/calls").await;
    let shown = agent.tell(json!({ "do": "count", "role": "button", "name": "Hang up" })).await;
    let records = office.api.get("/api/v1/call-records").await;
    assert_eq!(calls["items"].as_array().unwrap().len(), 1, "{calls}");
    assert_eq!(shown["count"], 1, "{shown}");
    assert_eq!(records["items"].as_array().unwrap().len(), 0, "{records}");
}

fn assert_no_long_gap(path: &std::path::Path, at_least: f64) {
    let recording = Recording::read(path);
    let gap = recording.longest_gap(f64::from(MICROPHONE));
    println!("longest gap {gap:.2} s of {:.1} s", recording.secs());
    assert!(recording.secs() > at_least, "{:.1} s", recording.secs());
    assert!(gap <= LONGEST_GAP, "{gap:.2} s without the agent{}", profile(&recording));
}

#[tokio::test]
async fn a_call_outlives_twenty_seconds_without_the_node_s_sockets_and_is_there_once_after_them() {
    let office = crate::office().await;
    let way = Way::to(&office.node.listening.http).await;
    let mut agent = crate::signed_in_by(&office, &way.address, "agent", "1001").await;
    agent.go_on_duty().await;
    let mut caller = talking(&office, &mut agent).await;
    sleep(Duration::from_secs(1)).await;
    let heard = caller.record("cut").await;

    way.cut();
    agent.text("Reconnecting").await;
    sleep(Duration::from_secs(18)).await;
    agent.assert_hears(700.0).await;
    way.mend();
    agent.tell(json!({ "do": "gone", "text": "Reconnecting" })).await;
    agent.button("Hold").await;
    sleep(Duration::from_secs(3)).await;
    agent.assert_hears(700.0).await;
    assert_one_call(&office, &mut agent).await;
    agent.press("Hang up").await;
    caller.expect_end().await;
    agent.text("No call").await;
    sleep(Duration::from_millis(300)).await;

    assert_no_long_gap(&heard, 20.0);
}

#[tokio::test]
async fn a_page_that_is_loaded_again_in_a_call_is_heard_again_within_two_seconds() {
    let (office, mut agent) = crate::agent_in_a_browser().await;
    let mut caller = talking(&office, &mut agent).await;
    sleep(Duration::from_secs(1)).await;
    let heard = caller.record("reload").await;
    sleep(Duration::from_secs(1)).await;

    agent.tell(json!({ "do": "reload" })).await;
    agent.button("Hold").await;
    sleep(Duration::from_secs(4)).await;
    agent.assert_hears(700.0).await;
    assert_one_call(&office, &mut agent).await;
    agent.press("Hang up").await;
    caller.expect_end().await;
    sleep(Duration::from_millis(300)).await;

    assert_no_long_gap(&heard, 5.0);
}
