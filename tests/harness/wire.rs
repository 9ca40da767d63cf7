//! SIP by hand over UDP: for what no phone would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

/// A UDP socket towards a node.
#[derive(Debug)]
pub struct Wire {
    socket: UdpSocket,
    node: SocketAddr,
    /// Its own address.
    pub local: SocketAddr,
}

/// A header's first value in a message.
#[must_use]
pub fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The status of a response; 0 for a request.
#[must_use]
pub fn status(message: &str) -> u16 {
    message
        .strip_prefix("SIP/2.0 ")
        .and_then(|rest| rest.split(' ').next())
        .and_then(|code| code.parse().ok())
        .unwrap_or(0)
}

impl Wire {
    /// Opens a socket on an address of its own.
    ///
    /// # Panics
    /// When it can not.
    pub async fn open(ip: &str, node: &str) -> Self {
        let socket = UdpSocket::bind((ip, 0)).await.unwrap();
        let local = socket.local_addr().unwrap();
        Self { socket, node: node.parse().unwrap(), local }
    }

    /// The node's address.
    #[must_use]
    pub const fn node(&self) -> SocketAddr {
        self.node
    }

    /// Sends bytes as they are.
    pub async fn send(&self, bytes: &[u8]) {
        let _ = self.socket.send_to(bytes, self.node).await;
    }

    /// The next message, if one comes in time.
    pub async fn receive(&self, within: Duration) -> Option<String> {
        let mut buffer = vec![0; 65_536];
        let deadline = Instant::now() + within;
        let (length, _) =
            timeout_at(deadline, self.socket.recv_from(&mut buffer)).await.ok()?.ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// The next message that fits, if one comes in time; others are dropped.
    pub async fn expect(&self, within: Duration, fits: impl Fn(&str) -> bool) -> Option<String> {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.checked_duration_since(Instant::now())?;
            let message = self.receive(left).await?;
            if fits(&message) {
                return Some(message);
            }
        }
    }

    /// A request outside of a dialog.
    #[must_use]
    pub fn request(&self, method: &str, user: &str, call_id: &str, more: &str) -> String {
        let (local, node) = (self.local, self.node);
        let to = if user.is_empty() { String::new() } else { format!("{user}@") };
        format!(
            "{method} sip:{to}{node} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};rport;branch=z9hG4bK{call_id}{method}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:5550199@{local}>;tag={call_id}\r\n\
             To: <sip:{to}{node}>\r\n\
             Call-ID: {call_id}\r\n\
             CSeq: 1 {method}\r\n\
             Contact: <sip:5550199@{local}>\r\n\
             {more}"
        )
    }

    /// Whether the node answers OPTIONS with 200 in time.
    pub async fn is_answered(&self, call_id: &str, within: Duration) -> bool {
        let options = self.request("OPTIONS", "", call_id, "Content-Length: 0\r\n\r\n");
        self.send(options.as_bytes()).await;
        let ours =
            |message: &str| status(message) == 200 && header(message, "Call-ID") == Some(call_id);
        self.expect(within, ours).await.is_some()
    }

    /// Answers a request of the node's: headers copied, a To tag and a Contact added.
    pub async fn respond(&self, request: &str, status: u16, sdp: &str) {
        let copied = copied(request);
        let to = header(request, "To").unwrap_or_default();
        let tag = if to.contains(";tag=") { "" } else { ";tag=far" };
        let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let answer = format!(
            "SIP/2.0 {status} Answer\r\n{copied}To: {to}{tag}\r\n\
             Contact: <sip:far@{}>\r\n{kind}Content-Length: {}\r\n\r\n{sdp}",
            self.local,
            sdp.len()
        );
        self.send(answer.as_bytes()).await;
    }
}

/// The headers of a request that stand in each answer to it (RFC 3261 8.2.6.2), but To.
pub(crate) fn copied(request: &str) -> String {
    const COPIED: [&str; 5] = ["Via", "From", "Call-ID", "CSeq", "Record-Route"];
    let head = request.lines().take_while(|line| !line.is_empty());
    let wanted = head.filter(|line| {
        let name = line.split(':').next().unwrap_or_default().trim();
        COPIED.iter().any(|it| it.eq_ignore_ascii_case(name))
    });
    wanted.map(|line| format!("{line}\r\n")).collect()
}
