//! baresip telephones, steered by its own `ctrl_tcp` module (netstrings of JSON).

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout_at};

use crate::ports::{free_port, free_ports};

/// Where Debian keeps its modules.
const MODULES: &str = "/usr/lib/baresip/modules";

/// Two for each of the calls it can have at once, and some to spare.
const RTP_PORTS: u16 = 20;

/// A telephone. It ends with the value.
#[derive(Debug)]
pub struct Baresip {
    _process: Child,
    control: TcpStream,
    pending: Vec<u8>,
    kept: VecDeque<Value>,
    dir: PathBuf,
}

impl Baresip {
    /// Starts a telephone that plays a tone and records what it hears, and waits until it is
    /// registered.
    ///
    /// # Panics
    /// When it does not start or register.
    pub async fn registered(
        server: &str,
        user: &str,
        password: &str,
        tone: u32,
        codec: &str,
        parent: &Path,
    ) -> Self {
        let dir = parent.join(format!("baresip-{user}"));
        std::fs::create_dir_all(&dir).unwrap();
        // Codec, rate and channels in baresip's way, e.g. PCMA/8000/1.
        let parts: Vec<&str> = codec.split('/').collect();
        let (rate, channels) = (parts[1].parse().unwrap(), parts[2].parse().unwrap());
        std::fs::write(dir.join("tone.wav"), tone_file(tone, rate, channels)).unwrap();
        std::fs::write(dir.join("contacts"), "").unwrap();
        let account = format!(
            "<sip:{user}@{server};transport=udp>;auth_user={user};auth_pass={password};\
             audio_codecs={codec};regint=120\n"
        );
        std::fs::write(dir.join("accounts"), account).unwrap();
        let (sip, control) = (free_port("127.0.0.1"), free_port("127.0.0.1"));
        std::fs::write(dir.join("config"), configuration(&dir, sip, control)).unwrap();
        // Before what shares its machine, as a telephone that has one of its own.
        let mut process = Command::new("nice")
            .args(["-n", "-10", "baresip", "-f"])
            .arg(&dir)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(dir.join("out")).unwrap())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("baresip runs: tests/install-peers");
        let Some(control) = connect(control, &mut process).await else {
            panic!("{user} takes no commands: {}", printed(&dir));
        };
        let kept = VecDeque::new();
        let mut phone = Self { _process: process, control, pending: Vec::new(), kept, dir };
        assert!(phone.has_registered().await, "{user} is not registered: {}", printed(&phone.dir));
        phone
    }

    /// The first registration may have gone before we listened: then only its output tells.
    async fn has_registered(&mut self) -> bool {
        for _ in 0..40 {
            if self.sees("REGISTER_OK", Duration::from_millis(500)).await
                || printed(&self.dir).contains("200 OK")
            {
                return true;
            }
        }
        false
    }

    /// Gives a command of its menu, e.g. `dial` with a number.
    ///
    /// # Panics
    /// When it has died.
    pub async fn command(&mut self, name: &str, params: &str) {
        let text = json!({ "command": name, "params": params, "token": name }).to_string();
        let netstring = format!("{}:{text},", text.len());
        self.control.write_all(netstring.as_bytes()).await.expect("baresip lives");
    }

    /// Waits for an event of baresip's, e.g. `CALL_INCOMING`.
    ///
    /// # Panics
    /// When it does not come within 20 s.
    pub async fn expect(&mut self, kind: &str) {
        assert!(self.sees(kind, Duration::from_secs(20)).await, "no {kind}: {:?}", self.kept);
    }

    /// True when an event has come or comes within a time; it is used up.
    pub async fn sees(&mut self, kind: &str, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        loop {
            if let Some(at) = self.kept.iter().position(|event| event["type"] == kind) {
                self.kept.remove(at);
                return true;
            }
            let mut buffer = [0; 4_096];
            let Ok(Ok(count)) = timeout_at(deadline, self.control.read(&mut buffer)).await else {
                return false;
            };
            if count == 0 {
                return false;
            }
            self.pending.extend_from_slice(&buffer[..count]);
            while let Some(event) = take(&mut self.pending) {
                self.kept.push_back(event);
            }
        }
    }

    /// What it heard in its newest call.
    ///
    /// # Panics
    /// When it had none.
    #[must_use]
    pub fn recording(&self) -> PathBuf {
        let mut found: Vec<PathBuf> = std::fs::read_dir(&self.dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with("-dec.wav"))
            .collect();
        found.sort();
        found.pop().expect("it had a call")
    }
}

/// A connection to its commands; none when it has ended, or does not listen within 20 s.
async fn connect(port: u16, process: &mut Child) -> Option<TcpStream> {
    for _ in 0..600 {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
            return Some(stream);
        }
        if process.try_wait().is_ok_and(|status| status.is_some()) {
            return None;
        }
        sleep(Duration::from_millis(30)).await;
    }
    None
}

fn printed(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("out")).unwrap_or_default()
}

/// Takes one whole netstring from the front.
fn take(pending: &mut Vec<u8>) -> Option<Value> {
    let colon = pending.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&pending[..colon]).ok()?.parse().ok()?;
    let end = colon + 1 + length;
    if pending.len() <= end {
        return None;
    }
    let event = serde_json::from_slice(&pending[colon + 1..end]).unwrap_or(Value::Null);
    pending.drain(..=end);
    Some(event)
}

fn configuration(dir: &Path, sip: u16, control: u16) -> String {
    let dir = dir.display();
    let first = free_ports("127.0.0.1", RTP_PORTS);
    let last = first + RTP_PORTS - 1;
    format!(
        "sip_listen 127.0.0.1:{sip}\n\
         call_max_calls 4\n\
         audio_source aufile,{dir}/tone.wav\n\
         audio_player aubridge,player\n\
         audio_alert aubridge,alert\n\
         rtp_ports {first}-{last}\n\
         module_path {MODULES}\n\
         module g711.so\n\
         module opus.so\n\
         module aufile.so\n\
         module aubridge.so\n\
         module sndfile.so\n\
         module_tmp account.so\n\
         module_app menu.so\n\
         module_app ctrl_tcp.so\n\
         ctrl_tcp_listen 127.0.0.1:{control}\n\
         snd_path {dir}\n"
    )
}

/// A WAV file of a minute of a sine at half of full scale, 16 bit.
pub(crate) fn tone_file(hertz: u32, rate: u32, channels: u16) -> Vec<u8> {
    let frames = rate * 60;
    let frame = channels * 2;
    let bytes = frames * u32::from(frame);
    let mut file = Vec::new();
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + bytes).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&channels.to_le_bytes());
    file.extend_from_slice(&rate.to_le_bytes());
    file.extend_from_slice(&(rate * u32::from(frame)).to_le_bytes());
    file.extend_from_slice(&frame.to_le_bytes());
    file.extend_from_slice(&16_u16.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&bytes.to_le_bytes());
    for at in 0..frames {
        let turn = f64::from(at) * f64::from(hertz) / f64::from(rate);
        let value = ((turn * 2.0 * std::f64::consts::PI).sin() * 16_000.0) as i16;
        for _ in 0..channels {
            file.extend_from_slice(&value.to_le_bytes());
        }
    }
    file
}
