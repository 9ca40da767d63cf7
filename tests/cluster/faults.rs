//! Faults of one member's machine: a full disk, a damaged journal, a wrong clock. It says what is
//! wrong, the cluster goes on, and the repair of the manual works.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tandem_tests::Machine;
use tandem_tests::members::{is_linked, member, said};
use tokio::process::Command;
use tokio::time::{Duration, Instant, sleep};

use crate::calls::call_at;
use crate::partitions::ended;
use crate::queues::{talking, until_placed};
use crate::{Three, apart};

/// Room of the small disk; a member needs half of it at its start.
const DISK: &str = "size=48m";

/// What is kept on it for what goes on.
const RESERVE: &str = "node.disk_reserve_mib=8";

/// A disk of its own for a member's data, in memory. It goes with the test's mounts.
struct Disk(PathBuf);

impl Disk {
    fn mount(machine: &Machine) -> Self {
        let dir = machine.dir.path().join("data");
        fs::create_dir_all(&dir).unwrap();
        let mut mount = std::process::Command::new("mount");
        let status = mount.args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(&dir).status();
        assert!(status.unwrap().success(), "a small disk is mounted (root is needed)");
        Self(dir)
    }

    /// Fills it up to so many free bytes, or whatever fits.
    fn fill(&self, free: u64) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = File::create(&path).unwrap();
        let block = [1u8; 64 << 10];
        while self.free() > free && file.write_all(&block).is_ok() {}
        path
    }

    fn free(&self) -> u64 {
        let mut df = std::process::Command::new("df");
        let output = df.args(["-B1", "--output=avail"]).arg(&self.0).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().nth(1).unwrap().trim().parse().unwrap()
    }
}

async fn says(machine: &Machine, what: &str) {
    let began = Instant::now();
    while !machine.log().contains(what) {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}: {}", machine.log());
        sleep(Duration::from_millis(100)).await;
    }
}

async fn ready(three: &Three, member: usize, wanted: u16) {
    let address = format!("http://{}/readyz", three.node(member).listening.http);
    let began = Instant::now();
    loop {
        let answer = reqwest::get(&address).await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        if status == wanted {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{text}");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn written(three: &Three, member: usize, number: &str) -> (u16, String) {
    let body = json!({ "number": number, "password": "not so secret" });
    let answer = three.api(member).send(reqwest::Method::POST, "/api/v1/extensions", &body).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
#[ignore = "runs with mounts of its own, by the test of the same name"]
async fn inside_a_member_whose_disk_is_full_takes_nothing_new_and_then_leaves_its_calls_to_others()
{
    let third = Machine::new(3).with(RESERVE);
    let disk = Disk::mount(&third);
    let mut three = until_placed(Three::of([Machine::new(1), Machine::new(2), third]).await).await;
    let (caller, callee) = talking(&three, [2, 2]).await;

    let filler = disk.fill(6 << 20);
    says(&three.machines[2], "the disk is full: nothing new is taken").await;
    ready(&three, 2, 503).await;
    let refused = written(&three, 2, "2001").await;
    assert!(refused.0 == 503 && refused.1.contains("the disk is full"), "{refused:?}");
    assert_eq!(written(&three, 0, "2002").await.0, 201);
    fs::remove_file(&filler).unwrap();
    ready(&three, 2, 200).await;
    assert_eq!(written(&three, 2, "2003").await.0, 201);

    let filler = disk.fill(0);
    let mut taken = Vec::new();
    let began = Instant::now();
    while !three.machines[2].log().contains("the journal has failed") {
        assert!(began.elapsed() < Duration::from_secs(60), "the disk is full, and nobody minds");
        let number = format!("{}", 30_000 + taken.len());
        assert_eq!(written(&three, taken.len() % 2, &number).await.0, 201);
        taken.push(number);
    }
    assert_eq!(three.ended(2).await, Some(74), "{}", three.machines[2].log());
    assert!(three.machines[2].log().contains("No space left on device"));
    call_at(&three, &[0, 1]).await;
    sleep(Duration::from_secs(3)).await;
    ended(&three, &[0, 1], caller, callee, 3.0).await;

    let output = three.machines[2].tandem(&["run"]).await;
    assert!(said(&output).contains("make room and start again"), "{}", said(&output));
    fs::remove_file(&filler).unwrap();
    three.start_again(2).await;
    let last = taken.last().unwrap();
    three.api(2).wait_for_found(&format!("/api/v1/extensions/{last}")).await;
}

#[tokio::test]
async fn a_member_whose_disk_is_full_takes_nothing_new_and_then_leaves_its_calls_to_others() {
    apart(
        "faults::inside_a_member_whose_disk_is_full_takes_nothing_new_and_then_leaves_its_calls\
         _to_others",
    )
    .await;
}

/// Turns one bit in the middle of each file of the journal.
fn damage(machine: &Machine) {
    for part in ["log", "state"] {
        let path = machine.dir.path().join("data/journal").join(part).join("db");
        let mut bytes = fs::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(1 << 10) {
            bytes[at] ^= 0x10;
        }
        fs::write(&path, bytes).unwrap();
    }
}

#[tokio::test]
async fn a_member_with_a_damaged_journal_says_so_and_is_repaired_by_joining_again() {
    let mut three = until_placed(Three::start().await).await;
    three.kill(2).await;
    damage(&three.machines[2]);

    let output = three.machines[2].tandem(&["run"]).await;
    assert_eq!(output.status.code(), Some(65), "{}", said(&output));
    assert!(said(&output).contains("damaged"), "{}", said(&output));
    let doctor = three.machines[2].tandem(&["doctor"]).await;
    assert!(said(&doctor).contains("fail  the journal is damaged"), "{}", said(&doctor));
    assert_eq!(written(&three, 0, "2001").await.0, 201);

    three.machines[0].done(&["cluster", "remove", "node-3"]).await;
    fs::remove_dir_all(three.machines[2].dir.path().join("data")).unwrap();
    three.join_again(2).await;
    three.machines[0].sees("the repaired member", |status| is_linked(status, "node-3")).await;
    three.api(2).wait_for_found("/api/v1/extensions/2001").await;
}

/// A machine whose clock can be set.
fn with_clock(number: u8) -> Machine {
    let find = "/usr/lib/*/faketime/libfaketimeMT.so.1";
    let shell = std::process::Command::new("sh").args(["-c", &format!("ls {find}")]).output();
    let library = String::from_utf8(shell.unwrap().stdout).unwrap();
    let library = library.lines().next().expect("libfaketime is there: tests/install-peers");
    let machine = Machine::new(number);
    set_clock(&machine, 0);
    let file = machine.dir.path().join("clock").display().to_string();
    machine
        .under("LD_PRELOAD", library)
        .under("FAKETIME_TIMESTAMP_FILE", &file)
        .under("FAKETIME_NO_CACHE", "1")
        .under("FAKETIME_DONT_FAKE_MONOTONIC", "1")
}

fn set_clock(machine: &Machine, secs: i64) {
    fs::write(machine.dir.path().join("clock"), format!("{secs:+}")).unwrap();
}

#[tokio::test]
async fn a_clock_that_is_an_hour_wrong_is_said_and_harms_neither_calls_nor_records() {
    let third = with_clock(3);
    let mut three = until_placed(Three::of([Machine::new(1), Machine::new(2), third]).await).await;
    let (caller, callee) = talking(&three, [2, 2]).await;

    set_clock(&three.machines[2], -3_600);
    says(&three.machines[2], "the system's clock was set while the node ran").await;
    set_clock(&three.machines[2], 3_600);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(written(&three, 2, "2001").await.0, 201);
    ended(&three, &[0, 1, 2], caller, callee, 0.5).await;

    three.kill(2).await;
    three.start_again(2).await;
    says(&three.machines[2], "this node takes their time").await;
    let ahead = |status: &Value| member(status, "node-3")["ahead_micros"].as_i64();
    let status = three.machines[0].sees("the wrong clock", |it| ahead(it) > Some(0)).await;
    assert!((3_590..3_610).contains(&(ahead(&status).unwrap() / 1_000_000)), "{status}");
    let shown = three.machines[0].done(&["cluster", "status"]).await;
    assert!(shown.contains("s ahead"), "{shown}");
    let doctor = three.machines[0].tandem(&["doctor"]).await;
    assert!(said(&doctor).contains("fail  the clock of node-3"), "{}", said(&doctor));
    let (caller, callee) = talking(&three, [2, 2]).await;
    ended(&three, &[0, 1, 2], caller, callee, 0.5).await;
    // Both calls were a moment ago, by the clock of those who are right.
    let records = three.api(0).get("/api/v1/call-records").await;
    let records = records["items"].as_array().unwrap();
    assert_eq!(records.len(), 2, "{records:?}");
    for record in records {
        let began = record["started_at"].as_str().unwrap();
        let age = age_secs(began).await;
        assert!((0..300).contains(&age), "{record}");
    }
}

/// How long ago a moment of the API was, in seconds.
async fn age_secs(moment: &str) -> i64 {
    let mut date = Command::new("date");
    let output = date.args(["-d", moment, "+%s"]).output().await.unwrap();
    let then: i64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() - then
}
