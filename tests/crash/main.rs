//! kill -9 under load, and damaged stores.
#![allow(clippy::unwrap_used)]

mod damage;
mod killed;

use std::path::Path;
use std::process::Output;

use tandem_tests::node::{binary, configuration};
use tokio::process::Command;

/// Runs a command of the binary on a node's data, the node being down.
pub(crate) async fn tandem(dir: &Path, command: &str) -> Output {
    let file = dir.join("tandem.toml");
    std::fs::write(&file, configuration(dir)).unwrap();
    let mut process = Command::new(binary());
    process.arg(command).arg("--config").arg(file).kill_on_drop(true);
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, process.output()).await.expect("it ends").unwrap()
}

/// Everything that a command printed.
pub(crate) fn said(output: &Output) -> String {
    let parts = [&output.stdout, &output.stderr];
    parts.map(|part| String::from_utf8_lossy(part).into_owned()).concat()
}
