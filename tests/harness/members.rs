//! Members of one cluster on loopback, and the command line that steers them.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::node::{Node, binary, configuration};

/// Longer than a member may take to be seen by the others, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A member's folder with its name and address; the process is started and ended by the test.
#[derive(Debug)]
pub struct Machine {
    /// Its files.
    pub dir: TempDir,
    settings: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Machine {
    /// The `number`th machine, on an address of its own in 127.0.0.0/8.
    #[must_use]
    pub fn new(number: u8) -> Self {
        let dir = TempDir::new().unwrap();
        let settings =
            vec![format!("node.name=node-{number}"), format!("cluster.bind=127.0.0.{number}:0")];
        Self { dir, settings, environment: Vec::new() }
    }

    /// With one more setting.
    #[must_use]
    pub fn with(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// From its next start on with another setting.
    pub fn set(&mut self, setting: &str) -> &Self {
        let name = setting.split('=').next().unwrap();
        self.settings.retain(|it| !it.starts_with(&format!("{name}=")));
        self.settings.push(setting.to_owned());
        self
    }

    /// With a variable in the environment of what runs there.
    #[must_use]
    pub fn under(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs a command to its end.
    pub async fn tandem(&self, arguments: &[&str]) -> Output {
        let file = self.dir.path().join("tandem.toml");
        std::fs::write(&file, configuration(self.dir.path())).unwrap();
        let mut process = Command::new(binary());
        process.args(arguments).arg("--config").arg(file).kill_on_drop(true);
        process.envs(self.environment.iter().cloned());
        for setting in &self.settings {
            process.arg("--set").arg(setting);
        }
        let limit = Duration::from_secs(60);
        tokio::time::timeout(limit, process.output()).await.expect("it ends").unwrap()
    }

    /// Runs a command that must succeed; gives what it printed.
    pub async fn done(&self, arguments: &[&str]) -> String {
        let output = self.tandem(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Starts the node.
    pub async fn start(&self, arguments: &[&str]) -> Node {
        let settings: Vec<&str> = self.settings.iter().map(String::as_str).collect();
        Node::start_under(self.dir.path(), &settings, arguments, &self.environment).await
    }

    /// How the running node sees the cluster.
    pub async fn status(&self) -> Value {
        serde_json::from_str(&self.done(&["cluster", "status", "--json"]).await).unwrap()
    }

    /// Waits until the node sees the cluster so.
    pub async fn sees(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let looked = async {
            loop {
                let status = self.status().await;
                if fits(&status) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let seen = tokio::time::timeout(PATIENCE, looked).await;
        match seen {
            Ok(status) => status,
            Err(_) => panic!("{what}: {}", self.status().await),
        }
    }

    /// The log of the node.
    #[must_use]
    pub fn log(&self) -> String {
        let log = std::fs::read_to_string(self.dir.path().join("node.log")).unwrap_or_default();
        plain(&log)
    }

    /// Where the member's files are.
    #[must_use]
    pub fn file(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.dir.path()).join("data/cluster").join(name)
    }
}

/// A member in a status.
#[must_use]
pub fn member<'a>(status: &'a Value, name: &str) -> &'a Value {
    let members = status["members"].as_array().unwrap();
    members.iter().find(|member| member["name"] == name).unwrap_or(&Value::Null)
}

/// Whether the link to a member is up.
#[must_use]
pub fn is_linked(status: &Value, name: &str) -> bool {
    member(status, name)["link"]["Up"].is_object()
}

/// Everything that a command printed.
#[must_use]
pub fn said(output: &Output) -> String {
    let parts = [&output.stdout, &output.stderr];
    parts.map(|part| String::from_utf8_lossy(part).into_owned()).concat()
}

/// A text without the colours of a terminal.
fn plain(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.split_once('m').map_or("", |(_, rest)| rest))
}
