//! Phones on connections of one member, in calls of another: rung, talked with, held, transferred
//! and ended through the member that has the connection, whoever dies.

use serde_json::{Value, json};
use tandem_tests::sound::{Recording, assert_heard};
use tandem_tests::{Machine, Phone, Relay};
use tokio::time::{Duration, sleep};

use crate::Three;
use crate::calls::call_at;
use crate::queues::{phone, until_placed};

/// The members: who has the calls, and who has the phones' connections.
const CALLS: usize = 0;
const PHONES: usize = 1;

/// Members that carry for each other: all have said that they can.
async fn placed() -> Three {
    until_carrying(crate::queues::placed().await).await
}

/// These members once all have said that they carry for each other.
pub(crate) async fn until_carrying(three: Three) -> Three {
    let agreed = async {
        while !three.machines[0].done(&["cluster", "status"]).await.contains("speak level 3") {
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), agreed).await.expect("all speak level 3");
    three
}

/// A telephone at a member, or at a relay to it.
async fn over(
    three: &Three,
    (member, transport): (usize, &str),
    extension: &str,
    tone: u32,
    relay: Option<&Relay>,
) -> Phone {
    let password = &three.demo.passwords[extension];
    let own = three.node(member).sip(transport).to_owned();
    let server = relay.map_or(own, Relay::address);
    let dir = three.machines[member].dir.path();
    let options = json!({ "tone": tone, "transport": transport });
    Phone::registered(&server, extension, password, dir, options).await
}

/// The registrations are read by all members.
pub(crate) async fn registered() {
    sleep(Duration::from_millis(500)).await;
}

/// How many messages a member has given to others for the phones.
pub(crate) async fn messages(three: &Three, member: usize) -> u64 {
    let metrics = three.api(member).bytes("/metrics").await;
    let text = String::from_utf8_lossy(&metrics).into_owned();
    let count = text.lines().find_map(|line| line.strip_prefix("tandem_flow_messages_total "));
    count.map_or(0, |count| count.parse().unwrap())
}

/// What both hear for some seconds.
pub(crate) async fn hear(phones: [&mut Phone; 2], name: &str, tones: [f64; 2]) {
    let [one, two] = phones;
    let files = [one.record(name).await, two.record(name).await];
    sleep(Duration::from_secs(3)).await;
    // A file is whole when the next one is begun.
    one.record("rest").await;
    two.record("rest").await;
    sleep(Duration::from_millis(200)).await;
    assert_heard(&files[0], tones[0], 2.0);
    assert_heard(&files[1], tones[1], 2.0);
}

pub(crate) async fn answered(caller: &mut Phone, callee: &mut Phone, number: &str) {
    caller.call(number).await;
    callee.expect("incoming").await;
    callee.answer().await;
    caller.expect_state("CONFIRMED").await;
    callee.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(1)).await;
}

pub(crate) async fn ended(phones: [&mut Phone; 2]) {
    for phone in phones {
        phone.expect_end().await;
        phone.forget();
    }
    sleep(Duration::from_millis(300)).await;
}

async fn a_phone_is_called_over(transport: &str) {
    let three = placed().await;
    let callee = over(&three, (PHONES, transport), "1001", 1100, None).await;
    let caller = phone(&three, CALLS, "1000", 700).await;
    registered().await;
    talk_and_hold(&three, [CALLS, PHONES], caller, callee).await;
}

/// 1000 gives up calling 1001, and calls it twice: with a hold, and with either hanging up.
pub(crate) async fn talk_and_hold(
    three: &Three,
    [calls, phones]: [usize; 2],
    mut caller: Phone,
    mut callee: Phone,
) {
    // Who gives up while it rings: CANCEL.
    caller.call("1001").await;
    callee.expect("incoming").await;
    caller.expect_state("EARLY").await;
    caller.hang_up().await;
    ended([&mut caller, &mut callee]).await;

    answered(&mut caller, &mut callee, "1001").await;
    assert!(three.has_call(calls).await && !three.has_call(phones).await);
    hear([&mut caller, &mut callee], "talk", [1100.0, 700.0]).await;
    callee.tell(json!({ "do": "hold" })).await;
    callee.expect_where("media", |it| it["status"] == "local_hold").await;
    sleep(Duration::from_millis(500)).await;
    let held = caller.record("held").await;
    sleep(Duration::from_secs(2)).await;
    callee.tell(json!({ "do": "resume" })).await;
    callee.expect_where("media", |it| it["status"] == "active").await;
    hear([&mut caller, &mut callee], "resumed", [1100.0, 700.0]).await;
    let share = Recording::read(&held).share(1100.0, 0.5, 1.5);
    assert!(share < 0.1, "the held caller hears the phone: {share}");

    callee.hang_up().await;
    ended([&mut caller, &mut callee]).await;
    answered(&mut caller, &mut callee, "1001").await;
    caller.hang_up().await;
    ended([&mut caller, &mut callee]).await;
    for member in [calls, phones] {
        let count = messages(three, member).await;
        println!("member {member} gave {count} messages");
        assert!(count > 8, "{count}");
    }
    let page = three.api(calls).get("/api/v1/call-records?number=1000").await;
    let outcomes: Vec<&Value> = page["items"].as_array().unwrap().iter().collect();
    let answered = outcomes.iter().filter(|it| it["outcome"] == "answered").count();
    assert_eq!((outcomes.len(), answered), (3, 2), "{page}");
}

#[tokio::test]
async fn a_phone_on_tcp_is_called_through_its_member() {
    a_phone_is_called_over("tcp").await;
}

#[tokio::test]
async fn a_phone_on_tls_is_called_through_its_member() {
    a_phone_is_called_over("tls").await;
}

#[tokio::test]
async fn a_phone_on_a_connection_of_another_member_transfers_its_caller() {
    let three = placed().await;
    let mut callee = over(&three, (PHONES, "tcp"), "1001", 1100, None).await;
    let mut third = over(&three, (2, "tls"), "1002", 900, None).await;
    let mut caller = phone(&three, CALLS, "1000", 700).await;
    registered().await;
    answered(&mut caller, &mut callee, "1001").await;

    callee.tell(json!({ "do": "transfer", "to": "1002" })).await;
    third.expect("incoming").await;
    third.answer().await;
    callee.expect_end().await;
    sleep(Duration::from_secs(1)).await;

    hear([&mut caller, &mut third], "after", [900.0, 700.0]).await;
    third.hang_up().await;
    ended([&mut caller, &mut third]).await;
}

/// The member of the call rings two phones by the API until both have answered. Gives the call.
pub(crate) async fn connected(three: &Three, [one, two]: [&mut Phone; 2]) -> Value {
    let wish = json!({ "from": "1001", "to": "1002" });
    three.api(CALLS).post("/api/v1/calls", wish).await;
    one.expect("incoming").await;
    one.answer().await;
    two.expect("incoming").await;
    two.answer().await;
    two.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(1)).await;
    call_at(three, &[CALLS]).await.1
}

/// The member of the call dies, and the member of one of the phones goes on with it. Gives that.
pub(crate) async fn inherited(three: &mut Three, before: &Value) -> usize {
    three.kill(CALLS).await;
    let killed = tokio::time::Instant::now();
    let (heir, after) = call_at(three, &[1, 2]).await;
    println!("member {heir} has the call after {:?}", killed.elapsed());
    assert_eq!(after["id"], before["id"]);
    heir
}

/// The phone that is not at the heir steers the call and ends it, and the record says so.
pub(crate) async fn steered_from_afar(
    three: &Three,
    heir: usize,
    before: &Value,
    [one, two]: [&mut Phone; 2],
) {
    assert!(messages(three, heir).await > 0, "the heir reached one of them through its member");
    let far = if heir == 1 { &mut *two } else { &mut *one };
    far.tell(json!({ "do": "hold" })).await;
    far.expect_where("media", |it| it["status"] == "local_hold").await;
    far.hang_up().await;
    ended([one, two]).await;

    let record = three.api(heir).record("number=1002").await;
    assert_eq!(record["id"], before["id"], "{record}");
    assert_eq!(record["outcome"], "answered", "{record}");
}

/// Both phones are on connections of other members than the call's: whichever of the two goes on
/// with it, the other one's phone is reached through its member.
#[tokio::test]
async fn a_call_of_two_such_phones_goes_on_when_its_member_dies() {
    let mut three = placed().await;
    let mut one = over(&three, (1, "tcp"), "1001", 1100, None).await;
    let mut two = over(&three, (2, "tls"), "1002", 900, None).await;
    registered().await;
    let before = connected(&three, [&mut one, &mut two]).await;
    hear([&mut one, &mut two], "before", [900.0, 1100.0]).await;

    let heir = inherited(&mut three, &before).await;
    sleep(Duration::from_secs(1)).await;
    hear([&mut one, &mut two], "after", [900.0, 1100.0]).await;
    steered_from_afar(&three, heir, &before, [&mut one, &mut two]).await;
}

/// A phone on a connection of a member, found by an address that others may have later.
async fn movable(three: &Three, member: usize) -> (Phone, Relay) {
    let relay = Relay::to(three.node(member).sip("tcp")).await;
    let phone = over(three, (member, "tcp"), "1001", 1100, Some(&relay)).await;
    (phone, relay)
}

/// The phone comes back at the third member, as by a virtual address.
async fn comes_back(phone: &mut Phone) {
    phone.forget();
    phone.tell(json!({ "do": "register" })).await;
    phone.expect("registered").await;
}

/// The phone steers the call by where it is now, and ends it.
async fn steered(three: &Three, member: usize, [caller, callee]: [&mut Phone; 2]) {
    callee.tell(json!({ "do": "hold" })).await;
    callee.expect_where("media", |it| it["status"] == "local_hold").await;
    callee.tell(json!({ "do": "resume" })).await;
    callee.expect_where("media", |it| it["status"] == "active").await;
    callee.hang_up().await;
    ended([caller, callee]).await;
    let record = three.api(member).record("number=1000").await;
    assert_eq!(record["outcome"], "answered", "{record}");
}

/// The call's end finds the phone where it has come back.
#[tokio::test]
async fn a_call_goes_on_when_the_member_of_its_phone_dies() {
    let mut three = placed().await;
    let (mut caller, mut callee, _relay) = talks_at(&three, CALLS, PHONES).await;
    let heard = [caller.record("death").await, callee.record("death").await];
    sleep(Duration::from_millis(500)).await;

    three.kill(PHONES).await;
    sleep(Duration::from_secs(4)).await;
    comes_back(&mut callee).await;
    hear([&mut caller, &mut callee], "after", [1100.0, 700.0]).await;
    sleep(Duration::from_millis(500)).await;
    caller.hang_up().await;
    ended([&mut caller, &mut callee]).await;

    assert_heard(&heard[0], 1100.0, 4.0);
    assert_heard(&heard[1], 700.0, 4.0);
    let record = three.api(CALLS).record("number=1000").await;
    assert_eq!(record["outcome"], "answered", "{record}");
}

/// The phone's own words find the call as well: it is told where they go from now on.
#[tokio::test]
async fn a_phone_whose_member_has_ended_steers_its_call_from_another_one() {
    let mut three = placed().await;
    let (mut caller, mut callee, _relay) = talks_at(&three, CALLS, PHONES).await;
    let heard = [caller.record("end").await, callee.record("end").await];
    sleep(Duration::from_millis(500)).await;

    three.node(PHONES).signal("TERM").await;
    assert_eq!(three.ended(PHONES).await, Some(0));
    comes_back(&mut callee).await;
    hear([&mut caller, &mut callee], "after", [1100.0, 700.0]).await;
    steered(&three, CALLS, [&mut caller, &mut callee]).await;

    unbroken(&heard);
}

/// What caller and phone heard, however short the silence of a take-over in order.
fn unbroken(heard: &[std::path::PathBuf; 2]) {
    for (file, hertz) in heard.iter().zip([1100.0, 700.0]) {
        let gap = Recording::read(file).longest_gap(hertz);
        println!("longest gap {gap:.2} s");
        assert!(gap < 0.5, "{}: silent for {gap} s", file.display());
    }
}

/// One member has the call, one the phone's connection. The phone's next one leads to the third.
async fn talks_at(three: &Three, call: usize, connection: usize) -> (Phone, Phone, Relay) {
    let (mut callee, relay) = movable(three, connection).await;
    let mut caller = phone(three, call, "1000", 700).await;
    registered().await;
    answered(&mut caller, &mut callee, "1001").await;
    relay.lead_to(three.node(2).sip("tcp"));
    (caller, callee, relay)
}

#[tokio::test]
async fn a_phone_that_lost_its_member_and_its_call_finds_the_call_where_it_registers() {
    let mut three = placed().await;
    let (mut caller, mut callee, _relay) = talks_at(&three, PHONES, PHONES).await;

    three.kill(PHONES).await;
    let (heir, _) = call_at(&three, &[CALLS, 2]).await;
    sleep(Duration::from_secs(9)).await;
    comes_back(&mut callee).await;
    sleep(Duration::from_secs(1)).await;
    hear([&mut caller, &mut callee], "after", [1100.0, 700.0]).await;
    steered(&three, heir, [&mut caller, &mut callee]).await;
}

/// Its connection is the way to the phone until the others have the call.
#[tokio::test]
async fn a_member_that_ends_hands_the_call_of_a_phone_on_its_connection_on() {
    let short = |number| Machine::new(number).with("node.drain_secs=1");
    let three = until_placed(Three::of([1, 2, 3].map(short)).await).await;
    let mut three = until_carrying(three).await;
    let (mut caller, mut callee, _relay) = talks_at(&three, PHONES, PHONES).await;
    let heard = [caller.record("end").await, callee.record("end").await];
    sleep(Duration::from_secs(1)).await;

    three.node(PHONES).signal("TERM").await;
    assert_eq!(three.ended(PHONES).await, Some(0));
    let (heir, _) = call_at(&three, &[CALLS, 2]).await;
    hear([&mut caller, &mut callee], "after", [1100.0, 700.0]).await;
    unbroken(&heard);
    comes_back(&mut callee).await;
    sleep(Duration::from_secs(1)).await;
    steered(&three, heir, [&mut caller, &mut callee]).await;
}

/// Its connection is gone: nobody is kept waiting for it.
#[tokio::test]
async fn a_phone_whose_member_is_dead_is_not_rung() {
    let mut three = placed().await;
    let _callee = over(&three, (PHONES, "tcp"), "1001", 1100, None).await;
    let mut caller = phone(&three, CALLS, "1000", 700).await;
    registered().await;

    three.kill(PHONES).await;
    sleep(Duration::from_secs(3)).await;
    let began = tokio::time::Instant::now();
    caller.call("1001").await;
    let status = caller.expect_end().await;

    assert_eq!(status, 480);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}
