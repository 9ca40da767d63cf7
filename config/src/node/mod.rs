//! The node's file: static facts of one node. Users, queues and routes live in the journal.
//!
//! Layers, later ones win: the defaults, the file, the environment (`TANDEM_SIP__REALM`), and
//! `--set sip.realm=…`. All problems are reported together, each with its line and a hint.

mod layers;
mod problem;
#[cfg(test)]
mod tests;

pub use layers::{DEFAULTS, load};
pub use problem::Problem;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Everything that the file can say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// The version of the file's form; always 1.
    pub version: u32,
    /// The node itself.
    pub node: Node,
    /// Signalling.
    pub sip: Sip,
    /// Audio.
    pub media: Media,
    /// Browsers' audio.
    pub webrtc: WebRtc,
    /// The HTTP edge.
    pub http: Http,
    /// Call records.
    pub records: Records,
    /// Letters.
    pub mail: Mail,
    /// The compatibility door.
    pub compat: Compat,
    /// Logs.
    pub log: Log,
    /// Links to other nodes.
    pub cluster: Cluster,
}

/// The node itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its name in logs.
    pub name: String,
    /// Where the journal, prompts and certificates are kept.
    pub data_dir: PathBuf,
    /// How long a drain waits for calls to end, in seconds.
    pub drain_secs: u32,
    /// Room on the disk, in MiB, that is left to what goes on: with less, the node takes nothing
    /// new.
    pub disk_reserve_mib: u32,
}

/// One SIP listener.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SipListener {
    /// `udp`, `tcp`, `tls`, `ws` or `wss`.
    pub transport: String,
    /// Address and port; port 0 lets the system choose.
    pub bind: SocketAddr,
    /// Host and port for Via and Contact, if not the bound address.
    #[serde(default)]
    pub advertised: Option<String>,
}

/// Signalling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sip {
    /// Digest realm. Changing it makes every phone sign in anew.
    pub realm: String,
    /// Digest algorithms that are offered, the best first: `sha-256`, `md5` (RFC 8760).
    pub digest: Vec<String>,
    /// User-Agents, by their beginning, that are offered MD5 alone.
    pub md5_only_agents: Vec<String>,
    /// Where to listen.
    pub listen: Vec<SipListener>,
    /// Certificate chain for TLS and WSS, PEM; empty: a self-signed one is made.
    pub certificate_file: String,
    /// Its private key, PEM.
    pub private_key_file: String,
    /// Whether sources on loopback are free of rate limits.
    pub trust_loopback: bool,
    /// Calls at once; more get 503 with Retry-After.
    pub max_calls: u32,
    /// New calls a second that are accepted; more get 503 with Retry-After. 0: no limit.
    pub max_calls_per_second: u32,
    /// Session timer that is asked for, in seconds; 0: none (RFC 4028).
    pub session_expires_secs: u32,
}

/// Audio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// Address that RTP sockets are bound to.
    pub bind: IpAddr,
    /// Address to write into SDP; empty: the bound one, or that of the default route.
    pub advertised: String,
    /// First RTP port.
    pub first_port: u16,
    /// Last RTP port.
    pub last_port: u16,
    /// Worker threads; 0: one per core.
    pub workers: u16,
    /// `tokio` or `epoll`.
    pub backend: String,
    /// Folder of prompts and music; empty: those of the binary, unpacked into `data_dir`.
    pub library_dir: String,
}

/// Browsers' audio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebRtc {
    /// TURN and STUN servers that browsers are told, `turn:host:3478?transport=tcp`; none: they
    /// reach the node itself.
    pub turn_urls: Vec<String>,
    /// The secret that the TURN servers share with the node.
    pub turn_secret: String,
    /// How long credentials for them are valid, in seconds.
    pub turn_valid_secs: u32,
}

impl WebRtc {
    fn problem(&self) -> Option<(&'static str, String, &'static str)> {
        let known =
            |url: &&String| ["turn:", "turns:", "stun:"].iter().any(|it| url.starts_with(it));
        if let Some(url) = self.turn_urls.iter().find(|url| !known(url)) {
            let what = format!("{url:?} names no TURN or STUN server");
            return Some(("webrtc.turn_urls", what, "turn:, turns: or stun:, and a host"));
        }
        if self.turn_urls.iter().any(|url| url.starts_with("turn")) && self.turn_secret.is_empty() {
            let what = "TURN servers without their secret".to_owned();
            return Some(("webrtc.turn_secret", what, "the static-auth-secret of the servers"));
        }
        if self.turn_valid_secs < 60 {
            let what = "credentials end before a call does".to_owned();
            return Some(("webrtc.turn_valid_secs", what, "86400 are a day"));
        }
        None
    }
}

/// The HTTP edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address and port.
    pub bind: SocketAddr,
    /// Requests that a user or token may make at once; more get 429 with Retry-After.
    pub request_burst: u32,
    /// Requests of a user or token a second over a longer time.
    pub requests_per_second: u32,
}

/// Call records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// Days for which the record of a call can be read; 0: for ever.
    pub keep_days: u32,
}

/// Letters over SMTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The server that takes letters; empty: none are sent.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `none`, `starttls` or `tls`.
    pub security: String,
    /// User name; empty: the server asks for none.
    pub username: String,
    /// Password.
    pub password: String,
    /// Who the letters are from.
    pub from: String,
}

/// An account of the compatibility door.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompatAccount {
    /// Its name.
    pub username: String,
    /// The MD5 of its password, 32 lower-case hex digits (D-041).
    pub password_md5: String,
    /// Extensions that it may use; empty: all (D-039).
    #[serde(default)]
    pub extensions: Vec<String>,
}

/// The compatibility door (section D).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compat {
    /// Whether it is open.
    pub enabled: bool,
    /// Who may log in.
    pub accounts: Vec<CompatAccount>,
    /// The origin that browsers are told (D-052).
    pub origin: String,
}

/// Logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a list such as `info,tandem_sip=debug`.
    pub filter: String,
    /// `text` or `json`.
    pub format: String,
}

/// Links to other nodes. They are there once the node founded or joined a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Address and port (UDP).
    pub bind: SocketAddr,
    /// Host and port for the other nodes, if not the bound address.
    pub advertised: String,
    /// How long a node's certificate is valid, in seconds; it is renewed after two thirds.
    pub certificate_secs: u32,
    /// The highest level of the members' language to speak; 0: the newest of this build.
    pub level: u16,
}

impl Cluster {
    fn problems(&self, newest: u16) -> Vec<(&'static str, String, &'static str)> {
        let mut wrong = Vec::new();
        if !self.advertised.is_empty() && !self.advertised.contains(':') {
            let what = format!("{:?} has no port", self.advertised);
            wrong.push(("cluster.advertised", what, "host:port, or empty"));
        }
        if self.certificate_secs < 3 {
            let hint = "2592000 are 30 days";
            wrong.push(("cluster.certificate_secs", "too short to renew".into(), hint));
        }
        if self.level > newest {
            let what = format!("this build speaks no level above {newest}");
            wrong.push(("cluster.level", what, "0 for the newest, 1 for the oldest"));
        }
        wrong
    }
}

impl NodeConfig {
    /// What is wrong beyond the types, by key. `newest` is the highest level of the members'
    /// language that this build speaks.
    #[must_use]
    pub fn rules(&self, newest: u16) -> Vec<(&'static str, String, &'static str)> {
        let mut wrong = Vec::new();
        if self.version != 1 {
            wrong.push(("version", format!("version {} is not known", self.version), "write 1"));
        }
        if self.sip.listen.is_empty() {
            let hint = "add { transport = \"udp\", bind = \"0.0.0.0:5060\" }";
            wrong.push(("sip.listen", "no SIP listener".to_owned(), hint));
        }
        for listener in &self.sip.listen {
            if !["udp", "tcp", "tls", "ws", "wss"].contains(&&*listener.transport) {
                let what = format!("{:?} is not a transport", listener.transport);
                wrong.push(("sip.listen", what, "one of udp, tcp, tls, ws, wss"));
            }
        }
        if self.sip.realm.trim().is_empty() || self.sip.realm.contains('"') {
            wrong.push(("sip.realm", "the realm is empty or holds a quote".into(), "a host name"));
        }
        let known = |name: &String| ["sha-256", "md5"].contains(&name.as_str());
        if self.sip.digest.is_empty() || !self.sip.digest.iter().all(known) {
            let what = format!("{:?} are not digest algorithms", self.sip.digest);
            wrong.push(("sip.digest", what, "some of sha-256 and md5"));
        }
        if self.sip.certificate_file.is_empty() != self.sip.private_key_file.is_empty() {
            let hint = "give both sip.certificate_file and sip.private_key_file, or neither";
            wrong.push(("sip.certificate_file", "one of two files is missing".into(), hint));
        }
        if self.media.first_port >= self.media.last_port && self.media.first_port != 0 {
            let hint = "first_port below last_port, at least two ports";
            wrong.push(("media.first_port", "the port range is empty".into(), hint));
        }
        if !["tokio", "epoll"].contains(&&*self.media.backend) {
            let what = format!("{:?} is not a backend", self.media.backend);
            wrong.push(("media.backend", what, "tokio or epoll"));
        }
        let is_md5 = |account: &CompatAccount| {
            let digest = &account.password_md5;
            let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            digest.len() == 32 && digest.bytes().all(hex)
        };
        if !self.compat.accounts.iter().all(is_md5) {
            let hint = "32 lower-case hex digits, as md5sum prints them";
            wrong.push(("compat.accounts", "a password_md5 is no MD5".into(), hint));
        }
        if !self.media.advertised.is_empty() && self.media.advertised.parse::<IpAddr>().is_err() {
            let what = format!("{:?} is not an address", self.media.advertised);
            wrong.push(("media.advertised", what, "an IP address, or empty"));
        }
        wrong.extend(self.webrtc.problem());
        wrong.extend(self.cluster.problems(newest));
        if !["none", "starttls", "tls"].contains(&&*self.mail.security) {
            let what = format!("{:?} protects no connection", self.mail.security);
            wrong.push(("mail.security", what, "none, starttls or tls"));
        }
        if self.http.request_burst == 0 || self.http.requests_per_second == 0 {
            let what = "nobody could make a request".to_owned();
            wrong.push(("http.request_burst", what, "at least 1, as http.requests_per_second"));
        }
        if !["text", "json"].contains(&&*self.log.format) {
            let what = format!("{:?} is not a format", self.log.format);
            wrong.push(("log.format", what, "text or json"));
        }
        wrong
    }
}
