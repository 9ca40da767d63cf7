//! Members of a cluster as processes of their own: joins, refusals, deaths and returns.
#![allow(clippy::unwrap_used)]

mod links;
mod refusals;

use tandem_tests::{Machine, Node};

/// Exit code of a node that the cluster refuses (EX_NOPERM).
pub(crate) const REFUSED: Option<i32> = Some(77);

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
