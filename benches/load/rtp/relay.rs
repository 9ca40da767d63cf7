//! The engine in a process of its own, so that its core and its CPU time are its own.

use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use tandem_engine::{Backend, Config, Handle, MediaSink, Source};
use tandem_kernel::{CallId, LegId};
use tandem_sdp::{Agreement, Codec, Direction};

use crate::Result;

pub(crate) const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A leg of G.711 that goes to a phone at `remote`.
pub(crate) fn agreement(remote: SocketAddr) -> Agreement {
    Agreement {
        remote,
        remote_rtcp: remote,
        rtcp_mux: true,
        codec: Codec::Pcmu,
        payload_type: Codec::Pcmu.payload_type(),
        accepts: vec![(Codec::Pcmu.payload_type(), Codec::Pcmu)],
        dtmf: Some(101),
        dtmf_receive: Some(101),
        dtmf_clock: 8_000,
        direction: Direction::SendRecv,
        ptime_ms: 20,
        crypto: None,
        held_by_remote: false,
    }
}

pub(crate) fn engine(backend: Backend) -> Result<Handle> {
    let library = std::env::temp_dir();
    let config =
        Config { bind: HOST, advertised: None, ports: 0..=0, workers: 1, backend, library };
    Ok(tandem_engine::start(config)?)
}

/// Opens a call whose two legs hear each other; gives their ports.
pub(crate) fn bridge(
    engine: &Handle,
    call: CallId,
    remote: impl Fn(u16) -> SocketAddr,
) -> Result<[u16; 2]> {
    let deaf: MediaSink = Arc::new(|_| {});
    let mut ports = [0; 2];
    for index in 0..2 {
        let leg = LegId { call, index };
        ports[usize::from(index)] = open(engine, leg, &deaf)?;
        engine.connect(leg, agreement(remote(index)));
        engine.hear(leg, vec![Source::Leg(LegId { call, index: 1 - index })]);
    }
    Ok(ports)
}

/// A worker that is still busy with the legs before says so; the setup may wait for it.
fn open(engine: &Handle, leg: LegId, sink: &MediaSink) -> Result<u16> {
    loop {
        match engine.open(leg, Arc::clone(sink)) {
            Ok(local) => return Ok(local.port),
            Err(tandem_engine::EngineError::Overloaded) => std::thread::yield_now(),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The other process: bridges calls until its input ends. The first of `args` is their number,
/// the others are where the legs send to, in turn.
pub(crate) fn serve(backend: Backend, args: &[&str]) -> Result<()> {
    let (calls, remotes) = args.split_first().ok_or("no number of calls")?;
    let calls: usize = calls.parse()?;
    let remotes =
        remotes.iter().map(|text| text.parse()).collect::<std::result::Result<Vec<_>, _>>()?;
    let engine = engine(backend)?;
    let mut line = String::new();
    for call in 0..calls {
        let remote = |index: u16| remotes[(2 * call + usize::from(index)) % remotes.len()];
        for port in bridge(&engine, CallId::fresh(), remote)? {
            line.push_str(&format!("{port} "));
        }
    }
    while engine.load().waiting_commands > 0 {
        std::thread::yield_now();
    }
    println!("{line}");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    let load = engine.load();
    println!(
        "in {} out {} send failures {} skipped slices {}",
        load.packets_in, load.packets_out, load.send_failures, load.skipped_slices
    );
    Ok(())
}

/// The generator's end of that process. It is killed with the value.
pub(crate) struct Relay {
    process: Child,
    said: BufReader<ChildStdout>,
}

impl Relay {
    /// Starts it on the first core.
    pub(crate) fn start(backend: &str, calls: usize, remotes: &[SocketAddr]) -> Result<Self> {
        let mut process = Command::new("taskset")
            .args(["-c", "0"])
            .arg(std::env::current_exe()?)
            .args(["relay", backend, &calls.to_string()])
            .args(remotes.iter().map(SocketAddr::to_string))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let said = process.stdout.take().ok_or("no output")?;
        Ok(Self { process, said: BufReader::new(said) })
    }

    /// `taskset` becomes the relay, so this is the relay's.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until all calls are bridged.
    pub(crate) fn ports(&mut self) -> Result<Vec<u16>> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        let ports: std::result::Result<Vec<u16>, _> =
            line.split_whitespace().map(str::parse).collect();
        Ok(ports?)
    }

    /// Ends it and gives its last words.
    pub(crate) fn stop(mut self) -> Result<String> {
        drop(self.process.stdin.take());
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        self.process.wait()?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
