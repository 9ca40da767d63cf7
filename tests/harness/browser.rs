//! Chromium with a microphone that plays a tone, as a process of its own, steered by JSON lines
//! (`tests/peers/browser.mjs`).

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::Office;
use crate::baresip::tone_file;
use crate::turns::turn;

/// How long one command may take; the script itself gives up sooner.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page. It ends with the value.
#[derive(Debug)]
pub struct Browser {
    _process: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Browser {
    /// Starts a browser for a node's pages, whose microphone plays `tone` Hz.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(office: &Office, tone: u32) -> Self {
        Self::start_at(office, &office.node.listening.http, tone).await
    }

    /// The same for a page that reaches the node by another address.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_at(office: &Office, address: &str, tone: u32) -> Self {
        Self::open(office.dir(), address, tone).await
    }

    /// The same with its files in a folder of `home`, as soon as this test may have browsers.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn open(home: &Path, address: &str, tone: u32) -> Self {
        turn().await;
        let dir = home.join(format!("browser-{tone}"));
        std::fs::create_dir_all(&dir).unwrap();
        let microphone = dir.join("microphone.wav");
        std::fs::write(&microphone, tone_file(tone, 48_000, 1)).unwrap();
        let options = json!({
            "url": format!("http://{address}"),
            "dir": dir.join("profile"), "microphone": microphone,
        });
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/browser.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("node runs");
        let commands = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut browser = Self { _process: process, commands, answers };
        browser.answer().await;
        browser
    }

    async fn answer(&mut self) -> Value {
        let line = timeout(PATIENCE, self.answers.next_line()).await;
        let line = line.expect("the browser answers in time").unwrap();
        serde_json::from_str(&line.expect("the browser lives")).unwrap()
    }

    /// Gives a command and waits until it is done.
    ///
    /// # Panics
    /// When it can not be done; with what the page shows.
    pub async fn tell(&mut self, command: Value) -> Value {
        self.commands.write_all(format!("{command}\n").as_bytes()).await.expect("it lives");
        self.commands.flush().await.expect("it lives");
        let answer = self.answer().await;
        assert!(answer["ok"] == true, "{}", answer["error"].as_str().unwrap_or_default());
        answer
    }

    /// Opens the panel and signs in.
    pub async fn sign_in(&mut self, name: &str, password: &str) {
        self.tell(json!({ "do": "open", "path": "/panel/" })).await;
        self.tell(json!({ "do": "fill", "label": "Name", "text": name })).await;
        self.tell(json!({ "do": "fill", "label": "Password", "text": password })).await;
        self.press("Sign in").await;
        self.tell(json!({ "do": "wait", "role": "button", "name": "Sign out" })).await;
    }

    /// Makes the page the phone of its user and waits until audio flows.
    pub async fn go_on_duty(&mut self) {
        self.press("Go on duty").await;
        self.text("Audio connected").await;
    }

    /// Presses a button.
    pub async fn press(&mut self, name: &str) {
        self.tell(json!({ "do": "press", "role": "button", "name": name })).await;
    }

    /// Waits until a button can be pressed, and says when that was, in ms since 1970.
    pub async fn button(&mut self, name: &str) -> u64 {
        let shown = self.tell(json!({ "do": "wait", "role": "button", "name": name })).await;
        shown["at"].as_u64().unwrap()
    }

    /// Waits until a text is shown.
    pub async fn text(&mut self, text: &str) -> u64 {
        self.tell(json!({ "do": "text", "text": text })).await["at"].as_u64().unwrap()
    }

    /// Presses keys, e.g. `Alt+Shift+KeyA`.
    pub async fn key(&mut self, keys: &str) {
        self.tell(json!({ "do": "key", "keys": keys })).await;
    }

    /// The strongest frequency that the page plays, and its level in dB.
    pub async fn hear(&mut self) -> (f64, f64) {
        let heard = self.tell(json!({ "do": "hear", "secs": 1.0 })).await;
        (heard["hertz"].as_f64().unwrap(), heard["decibels"].as_f64().unwrap_or(-200.0))
    }

    /// Asserts that the page plays a frequency.
    ///
    /// # Panics
    /// When it plays another, or none.
    pub async fn assert_hears(&mut self, hertz: f64) {
        let (heard, level) = self.hear().await;
        assert!((heard - hertz).abs() < 8.0 && level > -60.0, "{heard:.1} Hz at {level:.0} dB");
    }

    /// Asserts that the page is quiet at a frequency: it plays nothing or something else.
    ///
    /// # Panics
    /// When it plays the frequency.
    pub async fn assert_hears_not(&mut self, hertz: f64) {
        let (heard, level) = self.hear().await;
        assert!((heard - hertz).abs() > 8.0 || level < -80.0, "{heard:.1} Hz at {level:.0} dB");
    }

    /// Asserts that axe finds nothing wrong with the page.
    ///
    /// # Panics
    /// When it does.
    pub async fn assert_accessible(&mut self, what: &str) {
        let found = self.tell(json!({ "do": "axe" })).await;
        assert_eq!(found["violations"], json!([]), "{what}");
    }

    /// Asserts that no request left the node and the page had no errors.
    ///
    /// # Panics
    /// When one did.
    pub async fn assert_clean(&mut self) {
        let faults = self.tell(json!({ "do": "faults" })).await;
        assert_eq!(faults["outside"], json!([]));
        assert_eq!(faults["errors"], json!([]));
    }
}
