//! Paced RTP into the relay, and what comes out of it.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use tandem_benches::{cpu_time, machine_busy, percentile};
use tandem_rtp::{Header, Packet, is_rtcp};

use crate::Result;
use crate::relay::HOST;

/// The legs share these sockets: a socket per leg would cost the generator more than the relay.
const SOCKETS: usize = 16;
/// 20 ms of G.711.
const PERIOD: Duration = Duration::from_millis(20);
const PAYLOAD: usize = 160;
/// So many packets are sent before the sockets are read again.
const BURST: u32 = 16;
/// What is late after this has been lost.
const GRACE: Duration = Duration::from_millis(500);

pub(crate) struct Generator {
    sockets: Vec<UdpSocket>,
    start: Instant,
    buffer: [u8; 2_048],
    packet: Vec<u8>,
    /// Delays in µs of the packets that were sent in the measured span.
    delays: Vec<u32>,
    /// The measured span, in ns since `start`.
    span: (u64, u64),
}

/// What became of the packets of the measured span.
pub(crate) struct Outcome {
    sent: u64,
    /// What a perfectly paced generator would have sent.
    due: u64,
    received: u64,
    /// Thrown away at the generator's own sockets: not the relay's loss.
    own_drops: u64,
    p50_us: u32,
    pub(crate) p99_us: u32,
    max_us: u32,
    cpu: Duration,
    took: Duration,
    /// Processor time that everything else on the machine took.
    others: Duration,
}

impl Generator {
    pub(crate) fn open() -> Result<Self> {
        let mut sockets = Vec::new();
        for _ in 0..SOCKETS {
            let socket = UdpSocket::bind((HOST, 0))?;
            socket.set_nonblocking(true)?;
            sockets.push(socket);
        }
        Ok(Self {
            sockets,
            start: Instant::now(),
            buffer: [0; 2_048],
            packet: Vec::new(),
            delays: Vec::new(),
            span: (0, 0),
        })
    }

    /// Where the legs send to, in turn.
    pub(crate) fn remotes(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect()
    }

    /// Its own ports, as if they were those of so many calls.
    pub(crate) fn own_ports(&self, calls: usize) -> Vec<u16> {
        self.remotes().iter().map(SocketAddr::port).cycle().take(2 * calls).collect()
    }

    /// Sends a stream to each port for a while that is not measured and one that is.
    pub(crate) fn run(
        &mut self,
        ports: &[u16],
        warm_up: Duration,
        measured: Duration,
        relay: Option<u32>,
    ) -> Result<Outcome> {
        self.start = Instant::now();
        let end = warm_up + measured;
        self.span = (warm_up.as_nanos() as u64, end.as_nanos() as u64);
        let streams = ports.len() as u64;
        let step = PERIOD.as_nanos() as u64 / streams.max(1);
        let drops = self.own_drops();
        let cpu = |relay: Option<u32>| relay.and_then(cpu_time).unwrap_or_default();
        let mut before = None;
        let (mut next, mut sent) = (0_u64, 0_u64);
        while self.start.elapsed() < end {
            let now = self.now();
            if before.is_none() && now >= self.span.0 {
                before = Some((cpu(relay), own_cpu(), machine_busy()));
            }
            let mut burst = 0;
            while next * step <= now && burst < BURST {
                sent += u64::from(self.send(ports, next)?);
                next += 1;
                burst += 1;
            }
            self.receive();
        }
        let (relay_cpu, own, busy) = before.unwrap_or_default();
        let cpu = cpu(relay).saturating_sub(relay_cpu);
        let busy = machine_busy().unwrap_or_default().saturating_sub(busy.unwrap_or_default());
        let others = busy.saturating_sub(cpu).saturating_sub(own_cpu().saturating_sub(own));
        while self.start.elapsed() < end + GRACE {
            self.receive();
        }
        self.delays.sort_unstable();
        let delays = &self.delays;
        Ok(Outcome {
            sent,
            due: measured.as_nanos() as u64 / step,
            received: delays.len() as u64,
            own_drops: self.own_drops().saturating_sub(drops),
            p50_us: percentile(delays, 0.5),
            p99_us: percentile(delays, 0.99),
            max_us: delays.last().copied().unwrap_or(0),
            cpu,
            took: measured,
            others,
        })
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// The packet of a place in the order of all streams; true if it is in the measured span.
    fn send(&mut self, ports: &[u16], place: u64) -> Result<bool> {
        let streams = ports.len() as u64;
        let (stream, round) = ((place % streams) as usize, place / streams);
        let now = self.now();
        let mut payload = [0; PAYLOAD];
        payload[..8].copy_from_slice(&now.to_be_bytes());
        let header = Header {
            payload_type: 0,
            marker: round == 0,
            sequence: round as u16,
            timestamp: (round * PAYLOAD as u64) as u32,
            ssrc: 0x1000_0000 + stream as u32,
        };
        self.packet.clear();
        header.write(&payload, &mut self.packet);
        let socket = &self.sockets[stream % SOCKETS];
        socket.send_to(&self.packet, (HOST, ports[stream]))?;
        Ok((self.span.0..self.span.1).contains(&now))
    }

    fn receive(&mut self) {
        for socket in &self.sockets {
            loop {
                let length = match socket.recv(&mut self.buffer) {
                    Ok(length) => length,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    // A refused port of a leg that is not there: the packet counts as lost.
                    Err(_) => continue,
                };
                let now = self.start.elapsed().as_nanos() as u64;
                let datagram = &self.buffer[..length];
                if is_rtcp(datagram) {
                    continue;
                }
                let Ok(packet) = Packet::parse(datagram) else { continue };
                let Some(sent) = packet.payload().first_chunk().map(|at| u64::from_be_bytes(*at))
                else {
                    continue;
                };
                if (self.span.0..self.span.1).contains(&sent) {
                    self.delays.push((now.saturating_sub(sent) / 1_000) as u32);
                }
            }
        }
    }

    /// Datagrams that the kernel threw away because our own buffers were full.
    fn own_drops(&self) -> u64 {
        let table = std::fs::read_to_string("/proc/net/udp").unwrap_or_default();
        let ports: Vec<String> =
            self.remotes().iter().map(|addr| format!(":{:04X}", addr.port())).collect();
        let ours = table.lines().filter(|line| {
            let local = line.split_whitespace().nth(1);
            local.is_some_and(|local| ports.iter().any(|port| local.ends_with(port)))
        });
        ours.filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok()).sum()
    }
}

fn own_cpu() -> Duration {
    cpu_time(std::process::id()).unwrap_or_default()
}

impl Outcome {
    pub(crate) const HEAD: &'static str = "backend  calls    sent     lost  own drops  paced %  \
        p50 us  p99 us  max us  core %  us CPU/packet  others' CPU %";

    pub(crate) fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.received)
    }

    /// Whether the generator kept its pace; otherwise the load was less than it says.
    pub(crate) fn is_paced(&self) -> bool {
        self.sent * 1_000 >= self.due * 995
    }

    pub(crate) fn line(&self, name: &str, calls: usize) -> String {
        let core = 100.0 * self.cpu.as_secs_f64() / self.took.as_secs_f64();
        let each = self.cpu.as_secs_f64() * 1e6 / self.received.max(1) as f64;
        let others = 100.0 * self.others.as_secs_f64() / self.took.as_secs_f64();
        let paced = 100.0 * self.sent as f64 / self.due.max(1) as f64;
        format!(
            "{name:7}  {calls:5}  {:7}  {:6}  {:9}  {paced:7.1}  {:6}  {:6}  {:6}  {core:6.1}  \
             {each:13.2}  {others:13.0}",
            self.sent,
            self.lost(),
            self.own_drops,
            self.p50_us,
            self.p99_us,
            self.max_us,
        )
    }
}
