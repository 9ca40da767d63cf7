//! An edge proxy in front of phones (`tests/peers/edge.py`).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Child;
use tokio::time::sleep;

use crate::python;

/// A running proxy. It is killed with the value.
#[derive(Debug)]
pub struct Edge {
    _process: Child,
    /// Where it takes requests, `ip:port`.
    pub address: String,
    printed: PathBuf,
}

impl Edge {
    /// Starts a proxy at an address in front of a node.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(ip: &str, node: &str, dir: &Path) -> Self {
        let printed = dir.join(format!("edge-{ip}.out"));
        let process = python::script("edge.py")
            .args([format!("{ip}:0"), node.to_owned()])
            .stdout(File::create(&printed).unwrap())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 runs");
        let mut edge = Self { _process: process, address: String::new(), printed };
        for _ in 0..200 {
            if let Some(port) = edge.lines().first().filter(|it| it.ends_with('\n')) {
                edge.address = format!("{ip}:{}", port.trim());
                return edge;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the proxy at {ip} does not start");
    }

    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.printed).unwrap_or_default();
        text.split_inclusive('\n').map(str::to_owned).collect()
    }

    /// The Routes by which requests of a method have come from the node and gone on to phones.
    #[must_use]
    pub fn routes_down(&self, method: &str) -> Vec<String> {
        let wanted = format!("down {method} ");
        let all = self.lines();
        all.iter()
            .filter_map(|it| it.strip_prefix(&wanted))
            .map(|it| it.trim().to_owned())
            .collect()
    }
}
