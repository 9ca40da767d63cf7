//! A node as a process of its own, on ports that the system chose.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::process::{Child, Command};

use crate::Api;

/// What `tandem run --demo` provisioned, as it prints it into `demo.json`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Demo {
    /// An administrator's bearer token.
    pub token: String,
    /// SIP passwords by extension.
    pub passwords: BTreeMap<String, String>,
}

/// Where a node listens, as it writes it into `listening.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Listening {
    /// The HTTP address.
    pub http: String,
    /// SIP addresses by transport.
    pub sip: BTreeMap<String, String>,
    /// The address for other nodes, of a member of a cluster.
    #[serde(default)]
    pub cluster: Option<String>,
}

/// A running node. It is killed with the value.
#[derive(Debug)]
pub struct Node {
    /// The process.
    pub process: Child,
    /// Its data.
    pub dir: PathBuf,
    /// Where it listens.
    pub listening: Listening,
    /// The demo office.
    pub demo: Demo,
}

/// The binary under test: `TANDEM_BIN`, else the one that cargo built for this profile.
#[must_use]
pub fn binary() -> PathBuf {
    std::env::var_os("TANDEM_BIN").map_or_else(
        || {
            let test = std::env::current_exe().unwrap();
            test.parent().unwrap().parent().unwrap().join("tandem")
        },
        PathBuf::from,
    )
}

/// The configuration of a node under test.
#[must_use]
pub fn configuration(dir: &Path) -> String {
    format!(
        r#"
[node]
data_dir = "{}"
[sip]
trust_loopback = true
listen = [
    {{ transport = "udp", bind = "127.0.0.1:0" }},
    {{ transport = "tcp", bind = "127.0.0.1:0" }},
    {{ transport = "tls", bind = "127.0.0.1:0" }},
    {{ transport = "ws", bind = "127.0.0.1:0" }},
]
[media]
bind = "127.0.0.1"
first_port = 0
last_port = 65535
workers = 1
[http]
bind = "127.0.0.1:0"
[log]
filter = "info,openraft=error"
"#,
        dir.join("data").display()
    )
}

impl Node {
    /// Starts a node with the demo office in `dir` and waits until it is ready.
    pub async fn start(dir: &Path) -> Self {
        Self::start_with(dir, &[]).await
    }

    /// Starts a node with more `--set key=value`.
    ///
    /// # Panics
    /// When it is not ready within 30 s.
    pub async fn start_with(dir: &Path, set: &[&str]) -> Self {
        Self::start_as(dir, set, &["--demo"]).await
    }

    /// Starts a node with more `--set key=value` and with arguments for `run`.
    ///
    /// # Panics
    /// When it is not ready within 30 s.
    pub async fn start_as(dir: &Path, set: &[&str], arguments: &[&str]) -> Self {
        Self::start_under(dir, set, arguments, &[]).await
    }

    /// As [`start_as`](Self::start_as), with more variables in its environment.
    ///
    /// # Panics
    /// When it is not ready within 30 s.
    pub async fn start_under(
        dir: &Path,
        set: &[&str],
        arguments: &[&str],
        environment: &[(String, String)],
    ) -> Self {
        let file = dir.join("tandem.toml");
        std::fs::write(&file, configuration(dir)).unwrap();
        let _ = std::fs::remove_file(dir.join("data/listening.json"));
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(dir.join("node.log"))
            .unwrap();
        let mut command = Command::new(binary());
        command.arg("run").args(arguments).arg("--config").arg(&file);
        command.envs(environment.iter().cloned());
        for setting in set {
            command.arg("--set").arg(setting);
        }
        let process = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the tandem binary is built: make build");
        let (listening, demo) = Self::wait(dir, arguments.contains(&"--demo")).await;
        Self { process, dir: dir.to_owned(), listening, demo }
    }

    async fn wait(dir: &Path, with_demo: bool) -> (Listening, Demo) {
        for _ in 0..600 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let read = |name: &str| std::fs::read_to_string(dir.join("data").join(name));
            let parsed = |name| read(name).ok().and_then(|text| serde_json::from_str(&text).ok());
            let Some(listening) = parsed("listening.json") else { continue };
            let Ok(listening) = serde_json::from_value::<Listening>(listening) else { continue };
            let demo = parsed("demo.json").and_then(|demo| serde_json::from_value(demo).ok());
            let Some(demo) = demo.or_else(|| (!with_demo).then(Demo::default)) else { continue };
            let ready = reqwest::get(format!("http://{}/readyz", listening.http)).await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return (listening, demo);
            }
        }
        let log = std::fs::read_to_string(dir.join("node.log")).unwrap_or_default();
        panic!("the node is not ready:\n{log}");
    }

    /// A client with the administrator's token.
    #[must_use]
    pub fn api(&self) -> Api {
        Api::new(&format!("http://{}", self.listening.http), &self.demo.token)
    }

    /// The SIP address for a transport.
    #[must_use]
    pub fn sip(&self, transport: &str) -> &str {
        &self.listening.sip[transport]
    }

    /// The password of an extension.
    #[must_use]
    pub fn password(&self, extension: &str) -> &str {
        &self.demo.passwords[extension]
    }

    /// Kills it with SIGKILL, now.
    ///
    /// # Panics
    /// When it can not be killed.
    pub async fn kill(&mut self) {
        self.process.kill().await.expect("the node is killed");
    }

    /// Sends it a signal, e.g. `STOP` and `CONT`.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn signal(&self, name: &str) {
        let id = self.process.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} is sent");
    }

    /// Ends it with SIGTERM and waits until it is gone.
    ///
    /// # Panics
    /// When it does not go within 40 s.
    pub async fn stop(&mut self) {
        self.signal("TERM").await;
        let gone = tokio::time::timeout(Duration::from_secs(40), self.process.wait()).await;
        assert!(gone.is_ok(), "the node does not end");
    }
}
