//! A pjsua2 telephone as a process of its own, steered by JSON lines (`tests/peers/phone.py`).

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::{Instant, timeout_at};

use crate::python;

/// How long a phone waits for an event that a test expects.
const PATIENCE: Duration = Duration::from_secs(20);

/// A telephone. It ends with the value.
#[derive(Debug)]
pub struct Phone {
    /// Its extension, for messages.
    pub user: String,
    /// Where it listens, `ip:port`.
    pub address: String,
    _process: Child,
    commands: ChildStdin,
    events: Lines<BufReader<ChildStdout>>,
    kept: VecDeque<Value>,
    recordings: PathBuf,
}

impl Phone {
    /// Starts a telephone with the options of `phone.py`; it records into `dir`. With `netns` it
    /// runs in that network namespace.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(server: &str, user: &str, dir: &Path, more: Value) -> Self {
        let recordings =
            dir.join(format!("phone-{user}-{}", more["instance"].as_u64().unwrap_or(0)));
        let mut options = json!({ "server": server, "user": user, "record": recordings });
        for (key, value) in more.as_object().into_iter().flatten() {
            options[key] = value.clone();
        }
        let mut process = python::script_within(more["netns"].as_str(), "phone.py")
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 runs");
        let commands = process.stdin.take().unwrap();
        let events = BufReader::new(process.stdout.take().unwrap()).lines();
        let user = user.to_owned();
        let mut phone = Self {
            user,
            address: String::new(),
            _process: process,
            commands,
            events,
            kept: VecDeque::new(),
            recordings,
        };
        phone.address = phone.expect("ready").await["address"].as_str().unwrap().to_owned();
        phone
    }

    /// Starts a telephone and waits until it is registered.
    pub async fn registered(
        server: &str,
        user: &str,
        password: &str,
        dir: &Path,
        more: Value,
    ) -> Self {
        let mut options = json!({ "password": password });
        for (key, value) in more.as_object().into_iter().flatten() {
            options[key] = value.clone();
        }
        let mut phone = Self::start(server, user, dir, options).await;
        phone.expect("registered").await;
        phone
    }

    /// Gives a command, e.g. `json!({"do": "call", "to": "6400"})`.
    ///
    /// # Panics
    /// When the phone has died.
    pub async fn tell(&mut self, command: Value) {
        let line = format!("{command}\n");
        self.commands.write_all(line.as_bytes()).await.expect("the phone lives");
        self.commands.flush().await.expect("the phone lives");
    }

    /// Waits for an event of a name; others are kept for later.
    ///
    /// # Panics
    /// When it does not come in time.
    pub async fn expect(&mut self, name: &str) -> Value {
        self.expect_where(name, |_| true).await
    }

    /// Waits for an event of a name that fits.
    ///
    /// # Panics
    /// When it does not come in time.
    pub async fn expect_where(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let wanted = |event: &Value| event["event"] == name && fits(event);
        if let Some(at) = self.kept.iter().position(wanted) {
            return self.kept.remove(at).unwrap();
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Ok(line) = timeout_at(deadline, self.events.next_line()).await else {
                panic!("{} waited for {name}; it saw {:?}", self.user, self.kept);
            };
            let line = line.unwrap().unwrap_or_else(|| panic!("{} has died", self.user));
            let Ok(event) = serde_json::from_str::<Value>(&line) else { continue };
            if wanted(&event) {
                return event;
            }
            self.kept.push_back(event);
        }
    }

    /// Dials a number.
    pub async fn call(&mut self, to: &str) {
        self.tell(json!({ "do": "call", "to": to })).await;
    }

    /// Answers the newest call.
    pub async fn answer(&mut self) {
        self.tell(json!({ "do": "answer" })).await;
    }

    /// Hangs up the newest call.
    pub async fn hang_up(&mut self) {
        self.tell(json!({ "do": "hangup" })).await;
    }

    /// Waits until a call is over and gives its last status.
    pub async fn expect_end(&mut self) -> u64 {
        self.expect_state("DISCONNECTED").await["status"].as_u64().unwrap_or(0)
    }

    /// Records what the newest call hears from now on into a file of its own.
    pub async fn record(&mut self, name: &str) -> PathBuf {
        let path = PathBuf::from(format!("{}-{name}.wav", self.recordings.display()));
        self.tell(json!({ "do": "record", "path": path })).await;
        path
    }

    /// Waits until a call is in a state of pjsua's: `EARLY`, `CONFIRMED`, `DISCONNECTED`.
    pub async fn expect_state(&mut self, state: &str) -> Value {
        self.expect_where("state", |event| event["state"] == state).await
    }

    /// True when an event of a name has come or comes within a time.
    pub async fn sees(&mut self, name: &str, within: Duration) -> bool {
        if self.kept.iter().any(|event| event["event"] == name) {
            return true;
        }
        let deadline = Instant::now() + within;
        while let Ok(Ok(Some(line))) = timeout_at(deadline, self.events.next_line()).await {
            let Ok(event) = serde_json::from_str::<Value>(&line) else { continue };
            let found = event["event"] == name;
            self.kept.push_back(event);
            if found {
                return true;
            }
        }
        false
    }

    /// How many events of a name have come, those of the next moment included.
    pub async fn count(&mut self, name: &str, within: Duration) -> usize {
        let deadline = Instant::now() + within;
        while let Ok(Ok(Some(line))) = timeout_at(deadline, self.events.next_line()).await {
            if let Ok(event) = serde_json::from_str::<Value>(&line) {
                self.kept.push_back(event);
            }
        }
        self.count_where(name, |_| true)
    }

    /// How many of the events so far have a name and fit.
    #[must_use]
    pub fn count_where(&self, name: &str, fits: impl Fn(&Value) -> bool) -> usize {
        self.kept.iter().filter(|event| event["event"] == name && fits(event)).count()
    }

    /// Forgets all events so far.
    pub fn forget(&mut self) {
        self.kept.clear();
    }

    /// The recording of its n-th call, from 1.
    #[must_use]
    pub fn recording(&self, call: u32) -> PathBuf {
        PathBuf::from(format!("{}-{call}.wav", self.recordings.display()))
    }
}
