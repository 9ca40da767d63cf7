//! Looking at a machine and its data before the node runs: ok, warn or fail, and what to do.

use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use tandem_config::NodeConfig;
use tandem_journal::Journal;
use tandem_kernel::Clock;
use tandem_mesh::{Credentials, LinkStatus};

use crate::host::Room;
use crate::{host, say, tls};

/// A round trip that disturbs elections and leases, in microseconds.
const SLOW_MICROS: u64 = 20_000;

/// How a check came out.
enum Finding {
    Ok(String),
    Warn(String, &'static str),
    Fail(String, &'static str),
}

/// Prints a line for each check; true when none failed.
pub(crate) fn examine(config: &NodeConfig) -> bool {
    let findings = [
        data(config),
        journal(config),
        files(),
        turn(),
        udp_buffers(),
        ports(config),
        certificate(config),
        member(config),
        peers(config),
    ];
    let mut sound = true;
    for finding in findings {
        match finding {
            Finding::Ok(what) => say(&format!("ok    {what}")),
            Finding::Warn(what, cure) => say(&format!("warn  {what}: {cure}")),
            Finding::Fail(what, cure) => {
                sound = false;
                say(&format!("fail  {what}: {cure}"));
            }
        }
    }
    sound
}

fn data(config: &NodeConfig) -> Finding {
    let dir = &config.node.data_dir;
    let probe = dir.join(".doctor");
    let written = std::fs::create_dir_all(dir).and_then(|()| std::fs::write(&probe, b"probe"));
    match written.and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => room(config, dir),
        Err(error) => Finding::Fail(
            format!("{} can not be written ({error})", dir.display()),
            "make room there, or make the folder and give it to the user that runs tandem",
        ),
    }
}

fn room(config: &NodeConfig, dir: &Path) -> Finding {
    let reserve = u64::from(config.node.disk_reserve_mib);
    let free = host::free(dir).unwrap_or(u64::MAX);
    let left = format!("{} MiB are free in {}", free >> 20, dir.display());
    match host::room(Room::Enough, free, reserve << 20) {
        Room::Full => {
            let cure = "make room: the node takes nothing new below node.disk_reserve_mib";
            Finding::Fail(left, cure)
        }
        Room::Scarce => Finding::Warn(left, "make room before the node takes nothing new"),
        Room::Enough => Finding::Ok(format!("{} can be written, {left}", dir.display())),
    }
}

fn journal(config: &NodeConfig) -> Finding {
    let dir = config.node.data_dir.join("journal");
    if !dir.exists() {
        return Finding::Ok("the journal does not exist yet".into());
    }
    match Journal::verify(&dir) {
        Ok(report) if report.problems.is_empty() => {
            Finding::Ok(format!("the journal is whole ({} records)", report.records))
        }
        Ok(report) => Finding::Fail(
            format!("the journal is damaged in {} places", report.problems.len()),
            "run `tandem verify`, then restore a backup",
        ),
        Err(error) => Finding::Warn(format!("{error}"), "stop the node and try again"),
    }
}

/// Each call needs some six descriptors: sockets of two legs, RTP and RTCP.
fn files() -> Finding {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let open = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .and_then(|line| line.split_whitespace().nth(3))
        .and_then(|soft| soft.parse::<u64>().ok());
    match open {
        Some(limit) if limit < 16_384 => Finding::Warn(
            format!("only {limit} open files are allowed"),
            "set LimitNOFILE=65536 in the unit, or `ulimit -n 65536`",
        ),
        Some(limit) => Finding::Ok(format!("{limit} open files are allowed")),
        None => Finding::Warn("the limit of open files is unknown".into(), "check `ulimit -n`"),
    }
}

fn turn() -> Finding {
    // In a thread of its own, which ends: the doctor needs no turn before others.
    match std::thread::spawn(tandem_engine::go_first).join() {
        Ok(Ok(())) => Finding::Ok("media workers run before other threads".into()),
        _ => Finding::Warn(
            "media workers run like any other thread: audio suffers on a busy machine".into(),
            "set LimitNICE=-10 in the unit, or give it CAP_SYS_NICE",
        ),
    }
}

fn udp_buffers() -> Finding {
    let most = std::fs::read_to_string("/proc/sys/net/core/rmem_max")
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok());
    match most {
        Some(bytes) if bytes < 1 << 20 => Finding::Warn(
            format!("UDP sockets may buffer only {bytes} bytes"),
            "sysctl -w net.core.rmem_max=4194304",
        ),
        Some(bytes) => Finding::Ok(format!("UDP sockets may buffer {bytes} bytes")),
        None => Finding::Ok("UDP buffers are unknown on this system".into()),
    }
}

fn ports(config: &NodeConfig) -> Finding {
    for listener in &config.sip.listen {
        let free = if listener.transport == "udp" {
            UdpSocket::bind(listener.bind).map(drop)
        } else {
            TcpListener::bind(listener.bind).map(drop)
        };
        if let Err(error) = free {
            return Finding::Fail(
                format!("SIP {} {} is not free ({error})", listener.transport, listener.bind),
                "stop what listens there (`ss -lnp`), or change sip.listen",
            );
        }
    }
    match TcpListener::bind(config.http.bind) {
        Ok(_) => Finding::Ok("all ports are free".into()),
        Err(error) => Finding::Fail(
            format!("HTTP {} is not free ({error})", config.http.bind),
            "stop what listens there, or change http.bind",
        ),
    }
}

fn certificate(config: &NodeConfig) -> Finding {
    match tls::server(config) {
        Ok(_) if config.sip.certificate_file.is_empty() => Finding::Warn(
            "TLS uses a self-signed certificate".into(),
            "set sip.certificate_file and sip.private_key_file",
        ),
        Ok(_) => Finding::Ok("the certificate and its key fit".into()),
        Err(error) => Finding::Fail(format!("{error:#}"), "check sip.certificate_file and its key"),
    }
}

/// A member's certificate is renewed after two thirds of its life, by the member with the key.
fn member(config: &NodeConfig) -> Finding {
    let dir = config.node.data_dir.join("cluster");
    if !Credentials::exist(&dir) {
        return Finding::Ok("the node belongs to no cluster".into());
    }
    let own = match Credentials::load(&dir) {
        Ok(own) => own.subject.clone(),
        Err(error) => {
            let cure = "remove the member at another node and join again with an empty folder";
            return Finding::Fail(format!("the member's files can not be read ({error})"), cure);
        }
    };
    let left = own.until.since(Clock::start().now());
    let hours = left.as_secs() / 3_600;
    let lifetime = Duration::from_secs(config.cluster.certificate_secs.into());
    if left.is_zero() {
        let cure = "look at the clock; else remove the member and join again";
        return Finding::Fail(format!("the certificate of member {} has expired", own.node), cure);
    }
    if left < lifetime / 4 {
        let cure = "start the node where it reaches the member that lets nodes in";
        return Finding::Warn(format!("member {}'s certificate ends in {hours} h", own.node), cure);
    }
    Finding::Ok(format!("member {}'s certificate is good for {hours} h", own.node))
}

/// What the running member says of the others: links, clocks, a majority.
fn peers(config: &NodeConfig) -> Finding {
    let dir = config.node.data_dir.join("cluster");
    let asked = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let status = asked.ok().and_then(|it| it.block_on(tandem_mesh::status(&dir)).ok());
    let Some(status) = status else {
        return Finding::Ok("links are not looked at: no member runs here".into());
    };
    let apart = status.members.iter().find_map(|member| Some((member, member.secs_apart()?)));
    if let Some((member, secs)) = apart {
        let what = format!("the clock of {} is {secs} s ahead of this one", member.name);
        return Finding::Fail(what, "let NTP set the clocks of both, then restart the wrong one");
    }
    if status.group.as_ref().is_some_and(|group| !group.has_quorum) {
        let cure = "start the others, or look at the network between them";
        return Finding::Fail("no majority is within reach".into(), cure);
    }
    if let Some(member) = status.members.iter().find(|member| !member.link.is_up()) {
        let cure = "start it, or look at the network between (UDP)";
        return Finding::Warn(format!("there is no link to {}", member.name), cure);
    }
    let slow = status.members.iter().find(|member| match member.link {
        LinkStatus::Up { rtt_micros } => rtt_micros > SLOW_MICROS,
        _ => false,
    });
    if let Some(member) = slow {
        let what =
            format!("the link to {} takes more than {} ms", member.name, SLOW_MICROS / 1_000);
        return Finding::Warn(what, "members belong into one building: timers are 50 to 600 ms");
    }
    let count = status.members.len();
    Finding::Ok(format!("{count} members, all linked, their clocks are one"))
}

/// Reads the whole journal and prints what is damaged; true when nothing is.
///
/// # Errors
/// When the journal can not be read at all.
pub(crate) fn verify(config: &NodeConfig) -> Result<bool> {
    let dir = config.node.data_dir.join("journal");
    if !Path::new(&dir).exists() {
        return Err(anyhow!("there is no journal in {}", dir.display()));
    }
    let report = Journal::verify(&dir)?;
    for problem in &report.problems {
        say(&format!("damaged: {} in {}", problem.what, problem.place));
    }
    say(&format!("{} records, {} entries read", report.records, report.entries));
    Ok(report.problems.is_empty())
}
