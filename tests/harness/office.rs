//! A node with its folder, and the phones of its demo office.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Api, Node, Phone};

/// A running node in a folder of its own. Both are gone with the value.
#[derive(Debug)]
pub struct Office {
    /// The node.
    pub node: Node,
    /// A client with the administrator's token.
    pub api: Api,
    dir: TempDir,
}

impl Office {
    /// Opens the demo office.
    pub async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// Opens it with more `--set key=value`.
    ///
    /// # Panics
    /// When the node does not start.
    pub async fn open_with(set: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let node = Node::start_with(dir.path(), set).await;
        let api = node.api();
        Self { node, api, dir }
    }

    /// The folder of the node and of all recordings.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A registered telephone that plays a tone of its own.
    pub async fn phone(&self, extension: &str, tone: u32, more: Value) -> Phone {
        let transport = more["transport"].as_str().unwrap_or("udp");
        let mut options = json!({ "tone": tone });
        for (key, value) in more.as_object().into_iter().flatten() {
            options[key] = value.clone();
        }
        let password = self.node.password(extension);
        Phone::registered(self.node.sip(transport), extension, password, self.dir(), options).await
    }

    /// A telephone behind a trunk: it calls from an address of its own and does not register.
    pub async fn outside_phone(&self, number: &str, address: &str, more: Value) -> Phone {
        let mut options = json!({ "register": false, "bound": address });
        for (key, value) in more.as_object().into_iter().flatten() {
            options[key] = value.clone();
        }
        Phone::start(self.node.sip("udp"), number, self.dir(), options).await
    }

    /// Makes a trunk in peer mode.
    pub async fn trunk(&self, name: &str, host: &str, port: u16) {
        let trunk = json!({
            "name": name, "host": host, "port": port, "options_interval_secs": 0,
        });
        self.api.post("/api/v1/trunks", trunk).await;
    }

    /// Makes an inbound route from a DID.
    pub async fn inbound(&self, name: &str, did: &str, destination: Value) {
        let route = json!({ "name": name, "did": [did], "destination": destination });
        self.api.post("/api/v1/inbound-routes", route).await;
    }

    /// Waits until no call is up.
    pub async fn quiet(&self) {
        self.api.wait_for("/api/v1/calls", |calls| crate::api::items(calls).is_empty()).await;
    }

    /// What the node has written to its log.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir().join("node.log")).unwrap_or_default()
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        // A node that panicked fails the test, whatever else went well.
        if !std::thread::panicking() {
            let log = self.log();
            assert!(!log.contains("panicked at"), "the node panicked:\n{log}");
        } else if std::env::var_os("TANDEM_KEEP").is_some() {
            eprintln!("--- node.log\n{}", self.log());
        }
    }
}
