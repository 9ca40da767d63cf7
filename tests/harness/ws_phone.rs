//! A telephone over SIP-over-WebSocket (`tests/peers/ws_phone.py`): libre's SIP stack, no audio.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::{Instant, timeout_at};

use crate::python;

/// A telephone, which answers whatever rings. It is killed with the value.
#[derive(Debug)]
pub struct WsPhone {
    _process: Child,
    events: Lines<BufReader<ChildStdout>>,
}

impl WsPhone {
    /// Starts a telephone, waits until it is registered, and has it call a number then, if it is
    /// given one.
    ///
    /// # Panics
    /// When it does not start or register.
    pub async fn registered(server: &str, user: &str, password: &str, calls: Option<&str>) -> Self {
        let mut process = python::script("ws_phone.py")
            .args([server, user, password, "127.0.0.1"])
            .args(calls)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 runs");
        let events = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut phone = Self { _process: process, events };
        phone.expect("registered").await;
        phone
    }

    /// Waits for the next line of a name: `incoming`, `up`, `ended`; others are forgotten.
    ///
    /// # Panics
    /// When it does not come within 20 s.
    pub async fn expect(&mut self, name: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let line = timeout_at(deadline, self.events.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("no {name}"));
            let line = line.unwrap().unwrap_or_else(|| panic!("it ended before {name}"));
            if line == name {
                return;
            }
        }
    }
}
