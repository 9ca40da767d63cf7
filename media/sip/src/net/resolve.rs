//! From a host name to addresses (RFC 3263): NAPTR, SRV, A and AAAA, with the last good answer
//! for when the name service is away.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::config::Transport;

/// Names whose last good answer is kept.
const REMEMBERED: usize = 1_024;

/// Addresses tried for one request.
const HOPS: usize = 8;

/// All questions for one request together.
const ANSWERED_WITHIN: Duration = Duration::from_secs(4);

/// The same, where there is a last good answer.
const LAST_GOOD_AFTER: Duration = Duration::from_millis(800);

/// One question to one server.
const ASKED_AGAIN: Duration = Duration::from_millis(1_200);

/// Where a request may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) transport: Transport,
    pub(super) addr: SocketAddr,
    /// What a certificate must show: the name that was asked for, not what it led to (RFC 5922).
    pub(super) name: String,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// From the URI or the user; `None` leaves it to the name service.
    pub(super) transport: Option<Transport>,
    /// A `sips` URI: only TLS will do.
    pub(super) secure: bool,
}

impl Question {
    /// The only answer, if the host is an address (RFC 3263 4.1 and 4.2).
    pub(super) fn literal(&self) -> Option<Hop> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let ip: IpAddr = host.parse().ok()?;
        let transport = self.plain_transport();
        let addr = SocketAddr::new(ip, self.port.unwrap_or(transport.default_port()));
        Some(Hop { transport, addr, name: ip.to_string() })
    }

    fn plain_transport(&self) -> Transport {
        match (self.transport, self.secure) {
            (Some(Transport::Tcp) | Some(Transport::Udp) | None, true) => Transport::Tls,
            (Some(Transport::Ws), true) => Transport::Wss,
            (Some(transport), _) => transport,
            (None, false) => Transport::Udp,
        }
    }
}

/// One SRV name to ask, and the transport that it means.
type Service = (Transport, String);

/// The name service as this endpoint sees it.
#[derive(Default)]
pub(super) struct Names {
    /// Servers to ask instead of the system's.
    servers: Vec<SocketAddr>,
    resolver: OnceCell<Option<TokioResolver>>,
    last_good: Mutex<HashMap<Question, Vec<Hop>>>,
}

impl Names {
    pub(super) fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers, ..Self::default() }
    }

    /// All places to try, best first.
    pub(super) async fn resolve(
        &self,
        question: &Question,
        supported: &[Transport],
    ) -> Result<Vec<Hop>, String> {
        if let Some(hop) = question.literal() {
            return Ok(vec![hop]);
        }
        let known = self.last_good.lock().get(question).cloned();
        let patience = if known.is_some() { LAST_GOOD_AFTER } else { ANSWERED_WITHIN };
        let asking = tokio::time::timeout(patience, self.ask(question, supported));
        let mut hops = asking.await.unwrap_or_default();
        hops.truncate(HOPS);
        if hops.is_empty() {
            return known.ok_or_else(|| format!("{} has no usable address", question.host));
        }
        let mut last_good = self.last_good.lock();
        if last_good.len() >= REMEMBERED && !last_good.contains_key(question) {
            last_good.clear();
        }
        last_good.insert(question.clone(), hops.clone());
        Ok(hops)
    }

    async fn ask(&self, question: &Question, supported: &[Transport]) -> Vec<Hop> {
        // With a port there is nothing to look up but the address (RFC 3263 4.2).
        if question.port.is_none() {
            for (transport, name) in self.services(question, supported).await {
                let hops = self.servers(&name, transport, &question.host).await;
                if !hops.is_empty() {
                    return hops;
                }
            }
        }
        let transport = question.plain_transport();
        let port = question.port.unwrap_or(transport.default_port());
        let hop =
            |ip| Hop { transport, addr: SocketAddr::new(ip, port), name: question.host.clone() };
        self.addresses(&question.host).await.into_iter().map(hop).collect()
    }

    /// RFC 3263 4.1: the services of a domain, by NAPTR or by guessing their names.
    async fn services(&self, question: &Question, supported: &[Transport]) -> Vec<Service> {
        let host = &question.host;
        if question.transport.is_some() {
            let transport = question.plain_transport();
            return prefix(transport)
                .map(|p| (transport, format!("{p}.{host}")))
                .into_iter()
                .collect();
        }
        let usable = |transport: Transport| {
            supported.contains(&transport) && (transport.is_secure() || !question.secure)
        };
        let mut found = Vec::new();
        for data in self.lookup(host, RecordType::NAPTR).await {
            let RData::NAPTR(naptr) = data else { continue };
            let Some(transport) = service(&naptr.services) else { continue };
            if usable(transport) && naptr.flags.eq_ignore_ascii_case(b"s") {
                let rank = (naptr.order, naptr.preference);
                found.push((rank, transport, naptr.replacement.to_utf8()));
            }
        }
        if !found.is_empty() {
            found.sort_by_key(|(rank, ..)| *rank);
            return found.into_iter().map(|(_, transport, name)| (transport, name)).collect();
        }
        [Transport::Udp, Transport::Tcp, Transport::Tls]
            .into_iter()
            .filter(|transport| usable(*transport))
            .filter_map(|transport| Some((transport, format!("{}.{host}", prefix(transport)?))))
            .collect()
    }

    /// RFC 2782: by priority, and by chance in proportion to the weight.
    async fn servers(&self, name: &str, transport: Transport, host: &str) -> Vec<Hop> {
        let mut servers: Vec<_> = Vec::new();
        for data in self.lookup(name, RecordType::SRV).await {
            if let RData::SRV(srv) = data {
                // The largest of weighted draws wins with the probability of its weight.
                let draw = rand::random::<f64>().powf(1.0 / f64::from(srv.weight).max(0.01));
                let draw = (draw * 1e15) as u64;
                servers.push((srv.priority, Reverse(draw), srv.target.to_utf8(), srv.port));
            }
        }
        servers.sort();
        let mut hops = Vec::new();
        for (.., target, port) in servers {
            for ip in self.addresses(&target).await {
                let addr = SocketAddr::new(ip, port);
                hops.push(Hop { transport, addr, name: host.to_owned() });
            }
        }
        hops
    }

    async fn addresses(&self, host: &str) -> Vec<IpAddr> {
        if let Some(resolver) = self.resolver().await
            && let Ok(found) = resolver.lookup_ip(host).await
        {
            let found: Vec<_> = found.iter().collect();
            if !found.is_empty() {
                return found;
            }
        }
        // What the system knows otherwise: hosts file, mDNS, a resolver started later.
        match tokio::net::lookup_host((host.trim_end_matches('.'), 0)).await {
            Ok(found) => found.map(|addr| addr.ip()).collect(),
            Err(_) => Vec::new(),
        }
    }

    async fn lookup(&self, name: &str, kind: RecordType) -> Vec<RData> {
        let Some(resolver) = self.resolver().await else { return Vec::new() };
        // Asked with a final dot: a search list must not be tried on service names.
        let name = if name.ends_with('.') { name.to_owned() } else { format!("{name}.") };
        match resolver.lookup(name, kind).await {
            Ok(found) => found.answers().iter().map(|record| record.data.clone()).collect(),
            Err(_) => Vec::new(),
        }
    }

    async fn resolver(&self) -> Option<&TokioResolver> {
        self.resolver.get_or_init(|| async { self.build() }).await.as_ref()
    }

    fn build(&self) -> Option<TokioResolver> {
        let mut builder = if self.servers.is_empty() {
            TokioResolver::builder_tokio().ok()?
        } else {
            let servers = self.servers.iter().copied().map(server).collect();
            let config = ResolverConfig::from_name_servers(servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options = builder.options_mut();
        options.timeout = ASKED_AGAIN;
        options.attempts = 2;
        builder.build().ok()
    }
}

fn server(addr: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = addr.port();
        connection
    });
    NameServerConfig::new(addr.ip(), true, connections.into())
}

const fn prefix(transport: Transport) -> Option<&'static str> {
    match transport {
        Transport::Udp => Some("_sip._udp"),
        Transport::Tcp => Some("_sip._tcp"),
        Transport::Tls => Some("_sips._tcp"),
        // RFC 7118 8.4 registers NAPTR services for WebSocket, which are no way to reach phones.
        Transport::Ws | Transport::Wss => None,
    }
}

fn service(name: &[u8]) -> Option<Transport> {
    match name.to_ascii_uppercase().as_slice() {
        b"SIP+D2U" => Some(Transport::Udp),
        b"SIP+D2T" => Some(Transport::Tcp),
        b"SIPS+D2T" => Some(Transport::Tls),
        _ => None,
    }
}
