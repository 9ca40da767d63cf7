//! Phones on UDP behind a router with a NAT, which lets in only whom they have sent to: the address
//! and the port. Each test runs in a network of its own, where the phones have another one behind
//! the router.

use serde_json::{Value, json};
use tandem_tests::sound::Recording;
use tandem_tests::{Machine, Phone, python};
use tokio::process::Command;
use tokio::time::{Duration, sleep};

use crate::calls::call_at;
use crate::flows::{
    answered, connected, ended, hear, inherited, registered, steered_from_afar, talk_and_hold,
    until_carrying,
};
use crate::queues::until_placed;
use crate::{Three, apart};

/// The members: who has the calls, and who the registrations of the phones behind the router.
const CALLS: usize = 0;
const PHONES: usize = 1;

/// The members' network where it is the public one.
const PUBLIC: &str = "203.0.113";

/// The members' network where it is an office's, of which the phones' is a part.
const OFFICE: &str = "10.9.0";

/// Where the phones are, and the namespace of that.
const PHONE: &str = "192.168.7.2";
const HOME: &str = "home";

/// A port of its own for each whom a phone sends to (RFC 4787 4.1).
const SYMMETRIC: &str = "masquerade fully-random";

/// The phone's own port where that is free.
const PRESERVING: &str = "masquerade";

/// How long a router remembers the way of datagrams, in seconds.
const MEMORY_SECS: u64 = 30;

/// Longer than an INVITE waits for an answer (RFC 3261 timer B), shorter than the BYE after it.
const GIVEN_UP: Duration = Duration::from_secs(45);

/// The networks of members and phones with the router between them.
const NETWORKS: &str = r#"
mount -t tmpfs tmpfs /run && mkdir /run/netns
ip netns add router && ip netns add home
ip link add office type veth peer name outside netns router
ip -n router link add inside type veth peer name phone netns home
for host in 1 2 3 9; do ip addr add $NET.$host/24 dev office; done
ip link set office up
ip -n router addr add $NET.99/24 dev outside
ip -n router addr add 192.168.7.1/24 dev inside
ip -n router link set outside up
ip -n router link set inside up
ip -n home addr add 192.168.7.2/24 dev phone
ip -n home link set lo up
ip -n home link set phone up
ip -n home route add default via 192.168.7.1
ip netns exec router sysctl -qw net.ipv4.ip_forward=1
ip netns exec router nft -f - <<RULES
table ip nat {
    chain sent { type nat hook postrouting priority 100; oifname "outside" $MAPPING; }
}
table ip guard {
    chain passed {
        type filter hook forward priority 0;
        iifname "outside" ct state established,related accept
        iifname "outside" drop
    }
    chain own { type filter hook input priority 0; iifname "outside" drop; }
}
RULES
# The router forgets soon, and remembers nothing of before it had rules.
ip netns exec router sysctl -qw net.netfilter.nf_conntrack_udp_timeout=$MEMORY
ip netns exec router sysctl -qw net.netfilter.nf_conntrack_udp_timeout_stream=$MEMORY
"#;

async fn networks(net: &str, mapping: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", NETWORKS]).env("NET", net).env("MAPPING", mapping);
    let output = shell.env("MEMORY", MEMORY_SECS.to_string()).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "networks with a router between them: {said}");
}

/// Members that the router leads to, one address each.
async fn placed(net: &str) -> Three {
    let machines = [1, 2, 3].map(|number| {
        let at = format!("{net}.{number}");
        let listener = |transport| format!("{{ transport = {transport:?}, bind = \"{at}:0\" }}");
        let listen = format!("sip.listen=[{}, {}]", listener("udp"), listener("tcp"));
        Machine::new(number).with(&listen).with(&format!("media.bind={at}"))
    });
    until_carrying(until_placed(Three::of(machines).await).await).await
}

/// A telephone on UDP at a member.
async fn phone(three: &Three, member: usize, (extension, tone): (&str, u32), more: Value) -> Phone {
    let password = &three.demo.passwords[extension];
    let (server, dir) = (three.node(member).sip("udp"), three.machines[member].dir.path());
    let mut options = json!({ "tone": tone });
    for (key, value) in more.as_object().into_iter().flatten() {
        options[key] = value.clone();
    }
    Phone::registered(server, extension, password, dir, options).await
}

/// One of the members' network.
async fn near(three: &Three, member: usize, who: (&str, u32)) -> Phone {
    let own = three.node(member).sip("udp").rsplit_once('.').unwrap().0;
    phone(three, member, who, json!({ "bound": format!("{own}.9") })).await
}

/// One behind the router. It says by which address it is seen, or does not know.
async fn far(three: &Three, member: usize, who: (&str, u32), knows: bool) -> Phone {
    let options = json!({ "bound": PHONE, "netns": HOME, "rewrite": knows });
    phone(three, member, who, options).await
}

/// By which address and port a member sees the phone that has sent to it, as the router knows.
async fn mapped(three: &Three, member: usize) -> (String, String) {
    let mut shell = Command::new("ip");
    shell.args(["netns", "exec", "router", "cat", "/proc/net/nf_conntrack"]);
    let output = shell.output().await.unwrap();
    let known = String::from_utf8(output.stdout).unwrap();
    let (ip, port) = three.node(member).sip("udp").split_once(':').unwrap();
    // The router writes what it was sent, then what it takes for the answer to that.
    let sent = format!("src={PHONE} dst={ip} ");
    let answer = format!("src={ip} dst=");
    let way =
        known.lines().find(|line| line.contains(&sent) && line.contains(&format!("dport={port} ")));
    let way = way.unwrap_or_else(|| panic!("no way to {ip}:{port}: {known}"));
    let back = way.split(&answer).nth(1).unwrap();
    let seen = back.split_once("dport=").unwrap().1;
    let first = |text: &str| text.split(' ').next().unwrap().to_owned();
    (first(back), first(seen))
}

/// Whether OPTIONS from the socket of a member to an address is answered.
async fn is_answered(three: &Three, member: usize, (ip, port): &(String, String)) -> bool {
    let (own, own_port) = three.node(member).sip("udp").split_once(':').unwrap();
    let mut knock = python::script("knock.py");
    let output = knock.args([own, own_port, ip, port]).output().await.unwrap();
    match String::from_utf8_lossy(&output.stdout).trim() {
        "answered" => true,
        "silent" => false,
        _ => panic!("{}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Runs a test of this file in its own network.
async fn routed(test: &str) {
    apart(&format!("nat::inside_{test}")).await;
}

#[tokio::test]
#[ignore = "runs in a network of its own, by the test of the same name"]
async fn inside_the_router_lets_in_only_the_member_that_a_phone_has_sent_to() {
    networks(PUBLIC, PRESERVING).await;
    let three = placed(PUBLIC).await;
    let _phone = far(&three, PHONES, ("1001", 1100), true).await;

    let seen = mapped(&three, PHONES).await;
    assert_eq!(seen.0, format!("{PUBLIC}.99"), "the phone is seen as the router");
    assert!(is_answered(&three, PHONES, &seen).await);
    for member in [CALLS, 2] {
        assert!(!is_answered(&three, member, &seen).await, "member {member} is let in");
    }
    assert!(is_answered(&three, PHONES, &seen).await, "it is still there");
}

#[tokio::test]
async fn the_router_lets_in_only_the_member_that_a_phone_has_sent_to() {
    routed("the_router_lets_in_only_the_member_that_a_phone_has_sent_to").await;
}

async fn is_called(net: &str, mapping: &str, knows: bool) {
    networks(net, mapping).await;
    let three = placed(net).await;
    let callee = far(&three, PHONES, ("1001", 1100), knows).await;
    let caller = near(&three, CALLS, ("1000", 700)).await;
    registered().await;
    talk_and_hold(&three, [CALLS, PHONES], caller, callee).await;
}

#[tokio::test]
#[ignore = "runs in a network of its own, by the test of the same name"]
async fn inside_a_phone_that_knows_of_no_nat_is_called_through_its_member() {
    is_called(OFFICE, SYMMETRIC, false).await;
}

#[tokio::test]
async fn a_phone_that_knows_of_no_nat_is_called_through_its_member() {
    routed("a_phone_that_knows_of_no_nat_is_called_through_its_member").await;
}

#[tokio::test]
#[ignore = "runs in a network of its own, by the test of the same name"]
async fn inside_a_phone_that_says_how_it_is_seen_is_called_through_its_member() {
    is_called(OFFICE, PRESERVING, true).await;
}

#[tokio::test]
async fn a_phone_that_says_how_it_is_seen_is_called_through_its_member() {
    routed("a_phone_that_says_how_it_is_seen_is_called_through_its_member").await;
}

#[tokio::test]
#[ignore = "runs in a network of its own, by the test of the same name"]
async fn inside_a_phone_at_a_public_address_is_called_through_its_member() {
    is_called(PUBLIC, SYMMETRIC, true).await;
}

#[tokio::test]
async fn a_phone_at_a_public_address_is_called_through_its_member() {
    routed("a_phone_at_a_public_address_is_called_through_its_member").await;
}

/// Each phone is at a member of its own: whichever of these goes on with the call, it reaches the
/// other one's phone through that.
#[tokio::test]
#[ignore = "runs in a network of its own, by the test of the same name"]
async fn inside_phones_behind_a_nat_hear_each_other_again_when_the_member_of_their_call_dies() {
    networks(PUBLIC, SYMMETRIC).await;
    let mut three = placed(PUBLIC).await;
    let mut one = far(&three, 1, ("1001", 1100), true).await;
    let mut two = far(&three, 2, ("1002", 900), false).await;
    registered().await;
    let before = connected(&three, [&mut one, &mut two]).await;
    let heard = [one.record("death").await, two.record("death").await];
    sleep(Duration::from_secs(2)).await;

    let heir = inherited(&mut three, &before).await;
    sleep(Duration::from_secs(5)).await;
    hear([&mut one, &mut two], "after", [900.0, 1100.0]).await;
    for (file, hertz) in heard.iter().zip([900.0, 1100.0]) {
        let recording = Recording::read(file);
        let gap = recording.longest_gap(hertz);
        println!("longest gap {gap:.2} s of {:.1} s", recording.secs());
        assert!(gap <= 3.0, "{}: silent for {gap} s", file.display());
        let (from, to) = (recording.secs() - 3.0, recording.secs() - 1.0);
        assert!(recording.frames_with(hertz, from, to) > 0.9, "{}", file.display());
    }
    steered_from_afar(&three, heir, &before, [&mut one, &mut two]).await;
}

#[tokio::test]
async fn phones_behind_a_nat_hear_each_other_again_when_the_member_of_their_call_dies() {
    routed("phones_behind_a_nat_hear_each_other_again_when_the_member_of_their_call_dies").await;
}

/// From now on the phones find a member where another one was, as by a virtual address.
async fn stands_in(three: &Three, member: usize, dead: usize) {
    let (ip, port) = three.node(dead).sip("udp").split_once(':').unwrap();
    let there = three.node(member).sip("udp");
    let rule = format!("ip daddr {ip} udp dport {port} dnat to {there}");
    let chain = format!("chain sent {{ type nat hook output priority -100; {rule}; }}");
    let mut shell = Command::new("ip");
    shell.args(["netns", "exec", HOME, "nft", &format!("table ip moved {{ {chain}\n}}")]);
    assert!(shell.status().await.unwrap().success(), "the address moves");
}

/// A call whose member died, which one of its phones was registered at.
struct Bereft {
    three: Three,
    heir: usize,
    before: Value,
    caller: Phone,
    callee: Phone,
}

/// The member of a phone behind the router dies with its call, and another one asks it in vain.
async fn bereft(knows: bool) -> Bereft {
    networks(OFFICE, SYMMETRIC).await;
    let mut three = placed(OFFICE).await;
    let mut caller = far(&three, PHONES, ("1001", 1100), knows).await;
    let mut callee = near(&three, CALLS, ("1000", 700)).await;
    registered().await;
    answered(&mut caller, &mut callee, "1000").await;
    let (_, before) = call_at(&three, &[PHONES]).await;
    hear([&mut caller, &mut callee], "before", [700.0, 1100.0]).await;

    three.kill(PHONES).await;
    let (heir, after) = call_at(&three, &[CALLS, 2]).await;
    assert_eq!(after["id"], before["id"]);
    println!("member {heir} has the call");
    Bereft { three, heir, before, caller, callee }
}

impl Bereft {
    /// The caller's phone registers at the third member, by another port of the router.
    async fn comes_back(&mut self) {
        stands_in(&self.three, 2, PHONES).await;
        self.caller.forget();
        self.caller.tell(json!({ "do": "register" })).await;
        self.caller.expect("registered").await;
    }

    async fn recorded(&self) {
        let record = self.three.api(self.heir).record("number=1000").await;
        let before = &self.before["id"];
        assert_eq!((&record["id"], &record["outcome"]), (before, &json!("answered")));
    }
}

async fn goes_on_elsewhere(knows: bool) {
    let mut left = bereft(knows).await;
    // Longer than a phone may take to answer that need not come back.
    sleep(Duration::from_secs(9)).await;
    left.comes_back().await;
    sleep(Duration::from_secs(1)).await;
    hear([&mut left.caller, &mut left.callee], "after", [700.0, 1100.0]).await;

    left.caller.tell(json!({ "do": "hold" })).await;
    left.caller.expect_where("media", |it| it["status"] == "local_hold").await;
    left.caller.hang_up().await;
    ended([&mut left.caller, &mut left.callee]).await;
    left.recorded().await;
}

/// Who went on with its call asks it by the new registration.
#[tokio::test]
#[ignore = "runs in a network of its own, by the test of the same name"]
async fn inside_a_phone_that_comes_back_at_another_member_goes_on_with_its_call() {
    goes_on_elsewhere(false).await;
}

#[tokio::test]
async fn a_phone_that_comes_back_at_another_member_goes_on_with_its_call() {
    routed("a_phone_that_comes_back_at_another_member_goes_on_with_its_call").await;
}

/// It gives another Contact there, by which it is seen now.
#[tokio::test]
#[ignore = "runs in a network of its own, by the test of the same name"]
async fn inside_a_phone_that_comes_back_with_another_contact_goes_on_with_its_call() {
    goes_on_elsewhere(true).await;
}

#[tokio::test]
async fn a_phone_that_comes_back_with_another_contact_goes_on_with_its_call() {
    routed("a_phone_that_comes_back_with_another_contact_goes_on_with_its_call").await;
}

/// It has been asked in vain. What ends its call goes by the new registration, and the phone is
/// not left behind.
#[tokio::test]
#[ignore = "runs in a network of its own, by the test of the same name"]
async fn inside_a_phone_that_comes_back_too_late_is_told_the_end_of_its_call() {
    let mut left = bereft(false).await;
    sleep(GIVEN_UP).await;
    left.callee.expect_end().await;
    left.comes_back().await;
    left.caller.expect_end().await;
    left.recorded().await;
}

#[tokio::test]
async fn a_phone_that_comes_back_too_late_is_told_the_end_of_its_call() {
    routed("a_phone_that_comes_back_too_late_is_told_the_end_of_its_call").await;
}

/// INFO and UPDATE of the phone go to its member, which hands them to the call's.
#[tokio::test]
#[ignore = "runs in a network of its own, by the test of the same name"]
async fn inside_keys_by_info_and_an_update_reach_the_call_through_the_phones_member() {
    networks(PUBLIC, SYMMETRIC).await;
    let three = placed(PUBLIC).await;
    let prompt = three.api(CALLS).upload_tone("choose", 500.0, 20.0).await;
    let menu = json!({
        "number": "6500", "name": "choose", "prompt": prompt,
        "keys": { "1": { "type": "extension", "number": "1000" } },
    });
    three.api(CALLS).post("/api/v1/ivrs", menu).await;
    let mut one = far(&three, PHONES, ("1001", 1100), false).await;
    let mut two = near(&three, CALLS, ("1000", 700)).await;
    registered().await;
    let wish = json!({ "from": "1001", "to": "6500" });
    three.api(CALLS).post("/api/v1/calls", wish).await;
    one.expect("incoming").await;
    one.answer().await;
    one.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(2)).await;
    assert!(three.has_call(CALLS).await && !three.has_call(PHONES).await);
    one.forget();

    one.tell(json!({ "do": "update" })).await;
    one.expect_where("media", |it| it["status"] == "active").await;
    one.tell(json!({ "do": "dtmf", "digits": "1", "by": "info" })).await;
    two.expect("incoming").await;
    two.answer().await;
    two.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(1)).await;
    hear([&mut one, &mut two], "chosen", [700.0, 1100.0]).await;
    one.hang_up().await;
    ended([&mut one, &mut two]).await;
    let record = three.api(CALLS).record("number=1001").await;
    assert_eq!(record["outcome"], "answered", "{record}");
}

#[tokio::test]
async fn keys_by_info_and_an_update_reach_the_call_through_the_phones_member() {
    routed("keys_by_info_and_an_update_reach_the_call_through_the_phones_member").await;
}

/// The phone says nothing between its registrations.
#[tokio::test]
#[ignore = "runs in a network of its own, by the test of the same name"]
async fn inside_a_silent_phone_is_called_when_its_router_would_have_forgotten_it() {
    networks(OFFICE, SYMMETRIC).await;
    let three = placed(OFFICE).await;
    let options = json!({ "bound": PHONE, "netns": HOME, "rewrite": false, "keep_alive": 0 });
    let mut callee = phone(&three, PHONES, ("1001", 1100), options).await;
    let mut caller = near(&three, CALLS, ("1000", 700)).await;
    let seen = mapped(&three, PHONES).await;

    sleep(Duration::from_secs(2 * MEMORY_SECS + 5)).await;

    assert_eq!(mapped(&three, PHONES).await, seen, "its way stays open");
    answered(&mut caller, &mut callee, "1001").await;
    hear([&mut caller, &mut callee], "talk", [1100.0, 700.0]).await;
    callee.hang_up().await;
    ended([&mut caller, &mut callee]).await;
}

#[tokio::test]
async fn a_silent_phone_is_called_when_its_router_would_have_forgotten_it() {
    routed("a_silent_phone_is_called_when_its_router_would_have_forgotten_it").await;
}
