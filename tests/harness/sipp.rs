//! SIPp with scenarios of our own (`tests/peers/*.xml`).

use std::collections::BTreeMap;
use std::fs::File;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::ports::{free_port, free_ports};

/// A running scenario. It is killed with the value.
#[derive(Debug)]
pub struct Sipp {
    process: Child,
    name: String,
    statistics: PathBuf,
    errors: PathBuf,
    logged: PathBuf,
    /// The address of its SIP socket.
    pub address: String,
    /// The port of its SIP socket.
    pub port: u16,
}

impl Sipp {
    /// Starts a scenario from an address towards the node, and waits until its socket is open.
    ///
    /// # Panics
    /// When SIPp does not start.
    pub async fn start(scenario: &str, ip: &str, remote: &str, dir: &Path, more: &[&str]) -> Self {
        Self::start_at(scenario, ip, free_port(ip), remote, dir, more).await
    }

    /// The same with a port that the caller has chosen.
    ///
    /// # Panics
    /// When SIPp does not start.
    pub async fn start_at(
        scenario: &str,
        ip: &str,
        port: u16,
        remote: &str,
        dir: &Path,
        more: &[&str],
    ) -> Self {
        let name = format!("{scenario}-{port}");
        let file = |ending: &str| dir.join(format!("{name}.{ending}"));
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        // It binds some of the next ones too: RTCP, and a second stream.
        let media = free_ports(ip, 4);
        let mut command = Command::new("sipp");
        command
            .arg("-sf")
            .arg(peers.join(format!("{scenario}.xml")))
            .args(["-i", ip, "-mi", ip, "-p", &port.to_string(), "-mp", &media.to_string()])
            .args(["-nostdin", "-trace_err", "-error_file"])
            .arg(file("errors"))
            .args(["-trace_stat", "-fd", "1", "-stf"])
            .arg(file("csv"))
            .args(["-trace_logs", "-log_file"])
            .arg(file("log"))
            .args(more)
            .arg(remote)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(File::create(file("out")).unwrap())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut process = command.spawn().expect("sipp runs: tests/install-peers");
        opened(&mut process, ip, port).await;
        Self {
            process,
            statistics: file("csv"),
            errors: file("errors"),
            logged: file("log"),
            name,
            address: format!("{ip}:{port}"),
            port,
        }
    }

    /// Waits for its end and says whether every call went as the scenario says.
    pub async fn finish(&mut self, within: Duration) -> bool {
        let Ok(status) = tokio::time::timeout(within, self.process.wait()).await else {
            let _ = self.process.kill().await;
            eprintln!("{} did not end in {within:?}", self.name);
            return false;
        };
        let well = status.is_ok_and(|status| status.success());
        if !well {
            let errors = std::fs::read_to_string(&self.errors).unwrap_or_default();
            let shown: String = errors.chars().take(4_000).collect();
            eprintln!("{} failed: {:?}\n{shown}", self.name, self.figures());
        }
        well
    }

    /// Kills it.
    pub async fn kill(&mut self) {
        let _ = self.process.kill().await;
    }

    /// The newest line of its statistics.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<String, String> {
        let text = std::fs::read_to_string(&self.statistics).unwrap_or_default();
        let mut lines = text.lines();
        let (Some(head), Some(last)) = (lines.next(), lines.next_back()) else {
            return BTreeMap::new();
        };
        head.split(';').map(str::to_owned).zip(last.split(';').map(str::to_owned)).collect()
    }

    /// One figure of its statistics, e.g. `SuccessfulCall(C)`.
    #[must_use]
    pub fn figure(&self, name: &str) -> u64 {
        self.figures().get(name).and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    /// The lines that the scenario logged.
    #[must_use]
    pub fn logged(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.logged).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// Waits until a SIPp has its socket, or had it: a short scenario ends at once.
async fn opened(process: &mut Child, ip: &str, port: u16) {
    for _ in 0..1_000 {
        let ended = process.try_wait().is_ok_and(|status| status.is_some());
        if ended || UdpSocket::bind((ip, port)).is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("sipp does not open {ip}:{port}");
}
