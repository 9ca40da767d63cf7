//! A light telephone inside of the test's own process: a UDP socket and its calls, no audio. For
//! tests with hundreds of telephones.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use crate::wire::{copied, header, status};

/// How long a request waits for its answer before it is sent again.
const AGAIN: Duration = Duration::from_millis(500);

/// A telephone.
#[derive(Debug)]
pub struct Ua {
    socket: UdpSocket,
    node: SocketAddr,
    local: SocketAddr,
    user: String,
    audio: u16,
    dialogs: BTreeMap<String, Dialog>,
    sent: u32,
}

/// A call as this end sees it.
#[derive(Debug)]
struct Dialog {
    /// The INVITE that began it, ours or the node's.
    invite: String,
    own: String,
    other: String,
    target: String,
    is_up: bool,
}

/// What a telephone notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It rings: the call, and the caller's number.
    Rings(String, String),
    /// The caller is gone, or another telephone was quicker.
    Cancelled(String),
    /// Our own call is up.
    Up(String),
    /// Our own call was refused.
    Refused(String, u16),
    /// The other side has hung up.
    Ended(String),
}

fn hex(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut all, byte| {
        write!(all, "{byte:02x}").expect("a string takes all");
        all
    })
}

/// A parameter of a challenge.
fn quoted<'a>(text: &'a str, name: &str) -> &'a str {
    let from = text.find(&format!("{name}=\"")).map(|at| &text[at + name.len() + 2..]);
    from.and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

/// What stands within the angle brackets.
fn uri(value: &str) -> String {
    let inner = value.split_once('<').map_or(value, |(_, rest)| rest);
    inner.split('>').next().unwrap_or_default().to_owned()
}

/// The user part of an address.
fn user_of(value: &str) -> String {
    let uri = uri(value);
    let rest = uri.split_once(':').map_or("", |(_, rest)| rest);
    rest.split('@').next().unwrap_or_default().to_owned()
}

impl Ua {
    /// Opens a telephone. Its audio is asked for at a port of the same address that is not read.
    ///
    /// # Panics
    /// When it can not.
    pub async fn open(ip: &str, node: &str, user: &str, audio: u16) -> Self {
        let socket = UdpSocket::bind((ip, 0)).await.unwrap();
        let local = socket.local_addr().unwrap();
        Self {
            socket,
            node: node.parse().unwrap(),
            local,
            user: user.to_owned(),
            audio,
            dialogs: BTreeMap::new(),
            sent: 0,
        }
    }

    async fn send(&self, text: &str) {
        let _ = self.socket.send_to(text.as_bytes(), self.node).await;
    }

    async fn receive(&self, deadline: Instant) -> Option<String> {
        let mut buffer = vec![0; 65_536];
        let received = timeout_at(deadline, self.socket.recv_from(&mut buffer)).await;
        let (length, _) = received.ok()?.ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    fn fresh(&mut self) -> u32 {
        self.sent += 1;
        self.sent
    }

    /// Registers by SHA-256.
    ///
    /// # Panics
    /// When the node does not take it.
    pub async fn register(&mut self, password: &str) {
        let call = format!("register-{}-{}", self.user, self.local.port());
        let mut proof = String::new();
        for _ in 0..40 {
            let cseq = self.fresh();
            let (user, node, local) = (&self.user, self.node, self.local);
            let text = format!(
                "REGISTER sip:{node} SIP/2.0\r\n\
                 Via: SIP/2.0/UDP {local};rport;branch=z9hG4bK{call}{cseq}\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:{user}@{node}>;tag={call}\r\n\
                 To: <sip:{user}@{node}>\r\nCall-ID: {call}\r\nCSeq: {cseq} REGISTER\r\n\
                 Contact: <sip:{user}@{local}>\r\nExpires: 3600\r\n{proof}\
                 Content-Length: 0\r\n\r\n"
            );
            self.send(&text).await;
            let Some(answer) = self.answer_to(cseq).await else { continue };
            match status(&answer) {
                200 => return,
                401 => proof = self.proof(&answer, password),
                other => panic!("{} is not registered: {other}", self.user),
            }
        }
        panic!("{} is not registered", self.user);
    }

    async fn answer_to(&self, cseq: u32) -> Option<String> {
        let deadline = Instant::now() + AGAIN;
        loop {
            let message = self.receive(deadline).await?;
            let own = header(&message, "CSeq") == Some(&format!("{cseq} REGISTER"));
            if own && status(&message) >= 200 {
                return Some(message);
            }
        }
    }

    /// RFC 8760.
    fn proof(&self, answer: &str, password: &str) -> String {
        let mut challenges = answer.lines().filter(|line| {
            line.to_ascii_lowercase().starts_with("www-authenticate:") && line.contains("SHA-256")
        });
        let challenge = challenges.next_back().expect("a challenge for SHA-256");
        let (realm, nonce) = (quoted(challenge, "realm"), quoted(challenge, "nonce"));
        let (user, uri) = (&self.user, format!("sip:{}", self.node));
        let secret = hex(&format!("{user}:{realm}:{password}"));
        let asked = hex(&format!("REGISTER:{uri}"));
        let response = hex(&format!("{secret}:{nonce}:00000001:c0ffee:auth:{asked}"));
        format!(
            "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", \
             uri=\"{uri}\", response=\"{response}\", algorithm=SHA-256, cnonce=\"c0ffee\", \
             qop=auth, nc=00000001\r\n"
        )
    }

    fn sdp(&self) -> String {
        let (ip, audio) = (self.local.ip(), self.audio);
        format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
             m=audio {audio} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        )
    }

    /// Calls a number and gives the call's name. [`Event::Up`] or [`Event::Refused`] follows.
    pub async fn call(&mut self, to: &str) -> String {
        let (user, node, local) = (&self.user, self.node, self.local);
        let call = format!("{user}-{}-{}", local.port(), self.dialogs.len());
        let own = format!("<sip:{user}@{local}>;tag={call}");
        let (target, other, sdp) =
            (format!("sip:{to}@{node}"), format!("<sip:{to}@{node}>"), self.sdp());
        let invite = format!(
            "INVITE {target} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};rport;branch=z9hG4bK{call}\r\nMax-Forwards: 70\r\n\
             From: {own}\r\nTo: {other}\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:{user}@{local}>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        for _ in 0..6 {
            self.send(&invite).await;
            // The first word of the node ends the repetitions.
            let mut byte = [0; 1];
            let peeked = self.socket.peek_from(&mut byte);
            if tokio::time::timeout(AGAIN, peeked).await.is_ok() {
                break;
            }
        }
        let dialog = Dialog { invite, own, other, target, is_up: false };
        self.dialogs.insert(call.clone(), dialog);
        call
    }

    /// Answers a call that rings.
    pub async fn answer(&mut self, call: &str) {
        let sdp = self.sdp();
        let Some(dialog) = self.dialogs.get_mut(call) else { return };
        dialog.is_up = true;
        let invite = dialog.invite.clone();
        self.respond(&invite, 200, &sdp).await;
    }

    /// Refuses a call that rings.
    pub async fn refuse(&mut self, call: &str, status: u16) {
        if let Some(dialog) = self.dialogs.remove(call) {
            self.respond(&dialog.invite, status, "").await;
        }
    }

    /// Hangs up a call that is up.
    pub async fn hang_up(&mut self, call: &str) {
        self.within(call, "BYE", "").await;
        self.dialogs.remove(call);
    }

    /// Presses a key, by INFO.
    pub async fn press(&mut self, call: &str, key: char) {
        let digit = format!("Signal={key}\r\nDuration=160\r\n");
        self.within(call, "INFO", &digit).await;
    }

    /// Whether a call of ours is up.
    #[must_use]
    pub fn is_up(&self, call: &str) -> bool {
        self.dialogs.get(call).is_some_and(|dialog| dialog.is_up)
    }

    async fn within(&mut self, call: &str, method: &str, body: &str) {
        let cseq = self.fresh() + 10;
        let Some(dialog) = self.dialogs.get(call) else { return };
        let Dialog { own, other, target, .. } = dialog;
        let kind = if body.is_empty() { "" } else { "Content-Type: application/dtmf-relay\r\n" };
        let text = format!(
            "{method} {target} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};rport;branch=z9hG4bK{call}{cseq}\r\nMax-Forwards: 70\r\n\
             From: {own}\r\nTo: {other}\r\nCall-ID: {call}\r\nCSeq: {cseq} {method}\r\n\
             {kind}Content-Length: {}\r\n\r\n{body}",
            body.len(),
            local = self.local,
        );
        self.send(&text).await;
    }

    async fn respond(&self, request: &str, status: u16, sdp: &str) {
        let copied = copied(request);
        let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let (to, user, local) = (self.to(request), &self.user, self.local);
        let answer = format!(
            "SIP/2.0 {status} Answer\r\n{copied}To: {to}\r\nContact: <sip:{user}@{local}>\r\n\
             {kind}Content-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        self.send(&answer).await;
    }

    /// To, with our tag.
    fn to(&self, request: &str) -> String {
        let to = header(request, "To").unwrap_or_default();
        let tag = format!(";tag=ua{}", self.local.port());
        if to.contains(";tag=") { to.to_owned() } else { format!("{to}{tag}") }
    }

    /// What happens next, if it happens before a moment.
    pub async fn next(&mut self, deadline: Instant) -> Option<Event> {
        loop {
            let message = self.receive(deadline).await?;
            let call = header(&message, "Call-ID").unwrap_or_default().to_owned();
            let event = match message.split(' ').next().unwrap_or_default() {
                "SIP/2.0" => self.answered(call, &message).await,
                "INVITE" => self.invited(call, message).await,
                "CANCEL" => self.cancelled(call, &message).await,
                "BYE" => {
                    self.respond(&message, 200, "").await;
                    self.dialogs.remove(&call).map(|_| Event::Ended(call))
                }
                "ACK" => None,
                _ => {
                    self.respond(&message, 200, "").await;
                    None
                }
            };
            if event.is_some() {
                return event;
            }
        }
    }

    async fn invited(&mut self, call: String, message: String) -> Option<Event> {
        if self.dialogs.contains_key(&call) {
            let again = header(&message, "To").is_some_and(|to| to.contains(";tag="));
            let (status, sdp) = if again { (200, self.sdp()) } else { (180, String::new()) };
            self.respond(&message, status, &sdp).await;
            return None;
        }
        self.respond(&message, 180, "").await;
        let from = header(&message, "From").unwrap_or_default().to_owned();
        let dialog = Dialog {
            own: self.to(&message),
            target: uri(header(&message, "Contact").unwrap_or_default()),
            other: from.clone(),
            invite: message,
            is_up: false,
        };
        self.dialogs.insert(call.clone(), dialog);
        Some(Event::Rings(call, user_of(&from)))
    }

    async fn cancelled(&mut self, call: String, message: &str) -> Option<Event> {
        self.respond(message, 200, "").await;
        // One who has answered already is hung up by a BYE.
        self.dialogs.get(&call).filter(|dialog| !dialog.is_up)?;
        let dialog = self.dialogs.remove(&call)?;
        self.respond(&dialog.invite, 487, "").await;
        Some(Event::Cancelled(call))
    }

    /// A response: only those to our INVITEs matter.
    async fn answered(&mut self, call: String, message: &str) -> Option<Event> {
        let (code, local) = (status(message), self.local);
        if header(message, "CSeq") != Some("1 INVITE") || code < 200 {
            return None;
        }
        let dialog = self.dialogs.get_mut(&call)?;
        dialog.other = header(message, "To").unwrap_or_default().to_owned();
        if code < 300 {
            dialog.target = uri(header(message, "Contact").unwrap_or_default());
        }
        let was_up = std::mem::replace(&mut dialog.is_up, code < 300);
        let branch = if code < 300 { format!("{call}ack") } else { call.clone() };
        let ack = format!(
            "ACK {} SIP/2.0\r\nVia: SIP/2.0/UDP {local};rport;branch=z9hG4bK{branch}\r\n\
             Max-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {call}\r\nCSeq: 1 ACK\r\n\
             Content-Length: 0\r\n\r\n",
            dialog.target, dialog.own, dialog.other
        );
        self.send(&ack).await;
        match code {
            200..300 => (!was_up).then_some(Event::Up(call)),
            _ => Some(Event::Refused(call, code)),
        }
    }
}
