//! rtpengine in place of our engine: the same calls through its userspace relay, for comparison.
//!
//! It is steered by its `ng` protocol: a cookie and a bencoded dictionary in a datagram.

use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Result;
use crate::relay::HOST;

/// A process on the first core. It is killed with the value.
pub(crate) struct Rtpengine {
    process: Child,
    control: UdpSocket,
    cookie: u32,
}

impl Rtpengine {
    /// Starts it on the first core, with one thread that relays.
    pub(crate) fn start() -> Result<Self> {
        let at = UdpSocket::bind((HOST, 0))?.local_addr()?;
        let process = Command::new("taskset")
            .args(["-c", "0", "rtpengine", "--foreground", "--log-stderr", "--log-level=3"])
            .args(["--config-file=none", "--table=-1", "--num-threads=1"])
            .args(["--port-min=10000", "--port-max=32000"])
            .args([format!("--interface={HOST}"), format!("--listen-ng={at}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let control = UdpSocket::bind((HOST, 0))?;
        control.connect(at)?;
        control.set_read_timeout(Some(Duration::from_millis(200)))?;
        Ok(Self { process, control, cookie: 0 })
    }

    /// `taskset` becomes rtpengine, so this is rtpengine's.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Bridges calls whose legs are sent to at `remotes` in turn; gives the ports of their legs.
    pub(crate) fn bridge(&mut self, calls: usize, remotes: &[SocketAddr]) -> Result<Vec<u16>> {
        let mut ports = Vec::new();
        for call in 0..calls {
            let remote = |leg: usize| remotes[(2 * call + leg) % remotes.len()];
            // What an offer leads to is the port towards the callee, and the other way round.
            let callee = self.describe("offer", call, remote(0))?;
            let caller = self.describe("answer", call, remote(1))?;
            ports.extend([caller, callee]);
        }
        Ok(ports)
    }

    fn describe(&mut self, command: &str, call: usize, remote: SocketAddr) -> Result<u16> {
        let port = remote.port();
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        );
        let call = format!("call-{call}");
        let mut pairs = vec![("ICE", "remove"), ("call-id", &call), ("command", command)];
        pairs.extend([("from-tag", "a"), ("sdp", &sdp)]);
        if command == "answer" {
            pairs.push(("to-tag", "b"));
        }
        let answer = self.ask(&dictionary(&pairs))?;
        let port = answer.split("m=audio ").nth(1).and_then(|rest| rest.split(' ').next());
        let port = port.and_then(|port| port.parse().ok());
        port.ok_or_else(|| format!("rtpengine says {answer:?}").into())
    }

    fn ask(&mut self, question: &str) -> Result<String> {
        self.cookie += 1;
        let datagram = format!("{} {question}", self.cookie);
        let mut buffer = [0; 65_536];
        // It may not listen yet; a question that it has had already it answers from memory.
        for _ in 0..50 {
            let _ = self.control.send(datagram.as_bytes());
            if let Ok(length) = self.control.recv(&mut buffer) {
                let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if answer.starts_with(&format!("{} ", self.cookie)) {
                    return Ok(answer);
                }
            } else {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Err("rtpengine does not answer: is it installed?".into())
    }
}

impl Drop for Rtpengine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A bencoded dictionary of strings.
fn dictionary(pairs: &[(&str, &str)]) -> String {
    let text = |text: &str| format!("{}:{text}", text.len());
    let pairs: String = pairs.iter().map(|(key, value)| text(key) + &text(value)).collect();
    format!("d{pairs}e")
}
