//! Members of a cluster as processes of their own: joins, refusals, deaths and returns.
#![allow(clippy::unwrap_used)]

mod backup;
mod browsers;
mod calls;
mod deaths;
mod faults;
mod files;
mod flows;
mod links;
mod menus;
mod nat;
mod office;
mod pages;
mod partitions;
mod queues;
mod refusals;
mod upgrade;

use std::process::Stdio;

use serde_json::json;
use tandem_tests::node::Demo;
use tandem_tests::{Api, Machine, Node};
use tokio::process::Command;

/// Exit code of a node that the cluster refuses (EX_NOPERM).
pub(crate) const REFUSED: Option<i32> = Some(77);

/// Runs a test of this crate where it has the network and the mounts for itself.
pub(crate) async fn apart(test: &str) {
    let inside = format!(
        "ip link set lo up && exec {} --exact {test} --ignored --nocapture",
        std::env::current_exe().unwrap().display()
    );
    let mut process = Command::new("unshare");
    process.args(["--net", "--mount", "sh", "-c", &inside]);
    let output = process.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.expect("unshare is there: apt-get install util-linux");
    let said = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it).into_owned());
    println!("{}", said[0]);
    let passed = output.status.success() && said[0].contains("1 passed");
    assert!(passed, "in namespaces of its own (root may be needed): {}{}", said[0], said[1]);
}

/// The founder with its process.
pub(crate) async fn founder(machine: &Machine) -> Node {
    machine.done(&["cluster", "init"]).await;
    machine.start(&["--demo"]).await
}

/// Lets `machine` join; gives its process.
pub(crate) async fn joined(founder: &Machine, host: &Node, machine: &Machine) -> Node {
    let token = founder.done(&["cluster", "token"]).await;
    let host = host.listening.cluster.clone().unwrap();
    machine.start(&["--join", &host, "--token", &token]).await
}

/// A client of any member: tokens are the cluster's.
pub(crate) fn api_of(node: &Node, demo: &Demo) -> Api {
    Api::new(&format!("http://{}", node.listening.http), &demo.token)
}

/// Three members, all with a vote.
pub(crate) struct Three {
    pub(crate) machines: [Machine; 3],
    nodes: [Node; 3],
    /// What the founder provisioned.
    pub(crate) demo: Demo,
}

impl Three {
    pub(crate) async fn start() -> Self {
        Self::of([1, 2, 3].map(Machine::new)).await
    }

    /// Three members on these machines.
    pub(crate) async fn of(machines: [Machine; 3]) -> Self {
        let one = founder(&machines[0]).await;
        let two = joined(&machines[0], &one, &machines[1]).await;
        let three = joined(&machines[0], &one, &machines[2]).await;
        let demo = one.demo.clone();
        let voters = |status: &serde_json::Value| status["group"]["voters"] == json!([1, 2, 3]);
        for machine in &machines {
            machine.sees("three voters", voters).await;
        }
        Self { machines, nodes: [one, two, three], demo }
    }

    /// Waits until the process of a member has ended by itself; gives its exit code.
    pub(crate) async fn ended(&mut self, member: usize) -> Option<i32> {
        let ended = self.nodes[member].process.wait();
        let limit = std::time::Duration::from_secs(30);
        tokio::time::timeout(limit, ended).await.expect("the node ends").unwrap().code()
    }

    /// As [`start_again`](Self::start_again), with a new place in the cluster.
    pub(crate) async fn join_again(&mut self, member: usize) {
        let again = joined(&self.machines[0], &self.nodes[0], &self.machines[member]).await;
        self.nodes[member] = again;
    }

    /// Whether a member has a call itself.
    pub(crate) async fn has_call(&self, member: usize) -> bool {
        let metrics = self.api(member).bytes("/metrics").await;
        let text = String::from_utf8_lossy(&metrics);
        text.lines()
            .any(|line| line.strip_prefix("tandem_calls_active ").is_some_and(|count| count != "0"))
    }

    pub(crate) const fn node(&self, member: usize) -> &Node {
        &self.nodes[member]
    }

    pub(crate) fn api(&self, member: usize) -> Api {
        api_of(&self.nodes[member], &self.demo)
    }

    /// The place of the leader, as the first member that knows one says.
    pub(crate) async fn leader(&self) -> usize {
        let led = |status: &serde_json::Value| status["group"]["leader"].is_u64();
        let status = self.machines[0].sees("a leader", led).await;
        usize::try_from(status["group"]["leader"].as_u64().unwrap() - 1).unwrap()
    }

    /// The place of the member that runs a queue, by the newest of what the members wrote.
    pub(crate) async fn owner_of(&self, queue: &str) -> usize {
        let wanted = format!("a queue runs here queue=\"{queue}\" epoch=");
        for _ in 0..200 {
            let newest = |machine: &Machine| {
                let log = machine.log();
                let epochs = log.lines().filter_map(|line| line.split(&wanted).nth(1));
                epochs.filter_map(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).max()
            };
            let epochs = self.machines.iter().map(newest).enumerate();
            if let Some((_, owner)) =
                epochs.filter_map(|(place, epoch)| Some((epoch?, place))).max()
            {
                return owner;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("nobody runs queue {queue}");
    }

    pub(crate) async fn kill(&mut self, member: usize) {
        self.nodes[member].kill().await;
    }

    pub(crate) async fn start_again(&mut self, member: usize) {
        self.nodes[member] = self.machines[member].start(&[]).await;
        let voters = |status: &serde_json::Value| status["group"]["has_quorum"] == json!(true);
        self.machines[member].sees("a majority", voters).await;
    }
}
