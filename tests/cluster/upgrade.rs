//! An upgrade of one member after the other, under a call. The builds differ in the level of the
//! language that they speak: the older one is this build, held at the first level. `TANDEM_BIN`
//! may name a script that takes a real older one for `cluster.level=1`.

use tandem_tests::Machine;
use tandem_tests::members::is_linked;
use tandem_tests::sound::Recording;
use tokio::time::{Duration, sleep};

use crate::Three;
use crate::calls::call_at;
use crate::queues::{STATUS, line, phone, talking, until_placed};

/// Longest silence that a phone may hear when its call moves to another member.
const LONGEST_GAP: f64 = 0.5;

fn older(number: u8) -> Machine {
    Machine::new(number).with("cluster.level=1").with("node.drain_secs=1")
}

async fn table(machine: &Machine) -> String {
    machine.done(&["cluster", "status"]).await
}

#[tokio::test]
async fn an_upgrade_of_one_member_after_the_other_costs_no_call() {
    let mut three = until_placed(Three::of([1, 2, 3].map(older)).await).await;
    assert!(!table(&three.machines[0]).await.contains("level 3"));
    let (mut caller, mut callee) = talking(&three, [0, 0]).await;
    let mut waiting = phone(&three, 0, "1004", 900).await;
    waiting.call("6400").await;
    waiting.expect_state("CONFIRMED").await;
    let before = three.api(0).wait_for(STATUS, |status| line(status).len() == 1).await;
    let heard = [caller.record("upgrade").await, callee.record("upgrade").await];

    for member in 0..3 {
        three.node(member).signal("TERM").await;
        assert_eq!(three.ended(member).await, Some(0));
        three.machines[member].set("cluster.level=0");
        three.start_again(member).await;
        for other in (0..3).filter(|other| *other != member) {
            let name = format!("node-{}", member + 1);
            three.machines[other].sees("its return", |seen| is_linked(seen, &name)).await;
        }
        let (_, call) = call_at(&three, &[0, 1, 2]).await;
        assert!(call["id"].is_string());
        let now = three.api(member).wait_for(STATUS, |status| line(status).len() == 1).await;
        assert_eq!(line(&now), line(&before), "who waits keeps the place");
    }

    let settled = async {
        while !table(&three.machines[2]).await.contains("all builds speak level 3") {
            sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), settled).await.expect("all builds are new");
    three.node(1).signal("TERM").await;
    assert_eq!(three.ended(1).await, Some(0));
    let refused = three.machines[1].set("cluster.level=1").tandem(&["run"]).await;
    assert!(!refused.status.success(), "what was settled can not be taken back");

    sleep(Duration::from_secs(1)).await;
    waiting.hang_up().await;
    waiting.expect_end().await;
    caller.hang_up().await;
    caller.expect_end().await;
    callee.expect_end().await;
    for (file, hertz) in heard.iter().zip([1100.0, 700.0]) {
        let sound = Recording::read(file);
        let gap = sound.longest_gap(hertz);
        println!("longest gap of {hertz} Hz in {:.1} s: {gap:.2} s", sound.secs());
        assert!(gap < LONGEST_GAP, "{gap:.2} s without {hertz} Hz");
    }
    let all = three.api(0).records(2, "").await;
    assert!(all.iter().any(|record| record["outcome"] == "answered"), "{all:?}");
    assert!(all.iter().any(|record| record["outcome"] == "abandoned"), "{all:?}");
}
