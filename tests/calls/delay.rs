//! How much later a packet leaves the node than it came.

use std::time::Duration;

use serde_json::json;
use tandem_tests::Office;
use tandem_tests::wire::{Wire, header, status};
use tokio::net::UdpSocket;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

/// One G.711 payload type with its silence and a loud byte.
#[derive(Clone, Copy)]
struct Law {
    payload_type: u8,
    name: &'static str,
    silence: u8,
    loud: u8,
}

const PCMU: Law = Law { payload_type: 0, name: "PCMU", silence: 0xff, loud: 0x00 };
const PCMA: Law = Law { payload_type: 8, name: "PCMA", silence: 0xd5, loud: 0x2a };

fn sdp(rtp: &UdpSocket, law: Law) -> String {
    let address = rtp.local_addr().unwrap();
    let (ip, port, payload, name) = (address.ip(), address.port(), law.payload_type, law.name);
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP {payload}\r\na=rtpmap:{payload} {name}/8000\r\n"
    )
}

fn packet(law: Law, index: u32, byte: u8) -> Vec<u8> {
    let mut packet = vec![0x80, law.payload_type];
    packet.extend_from_slice(&u16::try_from(index & 0xffff).unwrap().to_be_bytes());
    packet.extend_from_slice(&(index * 160).to_be_bytes());
    packet.extend_from_slice(&7_u32.to_be_bytes());
    packet.resize(172, byte);
    packet
}

/// Where the node wants our audio: address and port of its SDP.
fn media_of(message: &str) -> String {
    let line =
        |start: &str| message.lines().find_map(|line| line.strip_prefix(start)).unwrap().to_owned();
    let ip = line("c=IN IP4 ");
    let port = line("m=audio ").split(' ').next().unwrap().to_owned();
    format!("{}:{port}", ip.trim())
}

/// Sends 50 packets a second, one of 25 of them loud, and gives the moments of the loud ones.
async fn speak(rtp: &UdpSocket, to: &str, law: Law, count: u32) -> Vec<Instant> {
    let mut tick = interval(Duration::from_millis(20));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut loud = Vec::new();
    for index in 0..count {
        tick.tick().await;
        let is_loud = index % 25 == 24;
        if is_loud {
            loud.push(Instant::now());
        }
        let byte = if is_loud { law.loud } else { law.silence };
        rtp.send_to(&packet(law, index, byte), to).await.unwrap();
    }
    loud
}

/// The moments at which a loud packet came after a silent one.
async fn listen(rtp: &UdpSocket, law: Law, secs: u64) -> Vec<Instant> {
    let deadline = Instant::now() + Duration::from_secs(secs);
    let mut buffer = [0; 2_048];
    let mut loud = Vec::new();
    let mut was_loud = false;
    while let Ok(Ok((length, _))) = timeout_at(deadline, rtp.recv_from(&mut buffer)).await {
        // The magnitude of a G.711 sample grows as its bits differ from silence.
        let is_loud = length > 12
            && buffer[12..length].iter().any(|byte| ((byte ^ law.silence) & 0x70) > 0x40);
        if is_loud && !was_loud {
            loud.push(Instant::now());
        }
        was_loud = is_loud;
    }
    loud
}

/// The median of the way through the node, in milliseconds.
async fn median_delay(near: Law, far: Law) -> f64 {
    let office = Office::open().await;
    let caller = Wire::open("127.0.0.3", office.node.sip("udp")).await;
    let callee = Wire::open("127.0.0.4", office.node.sip("udp")).await;
    office.trunk("near", "127.0.0.3", caller.local.port()).await;
    office.trunk("far", "127.0.0.4", callee.local.port()).await;
    let out = json!({ "name": "out", "rules": [{ "pattern": "0." }], "trunks": ["far"] });
    office.api.post("/api/v1/outbound-routes", out).await;
    let outside = json!({ "type": "external_num", "number": "0301234" });
    office.inbound("in", "5550100", outside).await;
    let (near_rtp, far_rtp) = (
        UdpSocket::bind("127.0.0.3:0").await.unwrap(),
        UdpSocket::bind("127.0.0.4:0").await.unwrap(),
    );

    let offer = sdp(&near_rtp, near);
    let more =
        format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{offer}", offer.len());
    let invite = caller.request("INVITE", "5550100", "delay", &more);
    caller.send(invite.as_bytes()).await;
    let wait = Duration::from_secs(5);
    let rung = callee.expect(wait, |message| message.starts_with("INVITE ")).await.unwrap();
    callee.respond(&rung, 200, &sdp(&far_rtp, far)).await;
    let answered = caller
        .expect(wait, |message| status(message) == 200 && message.contains("m=audio"))
        .await
        .unwrap();
    let to = header(&answered, "To").unwrap();
    let ack = caller
        .request("ACK", "5550100", "delay", "Content-Length: 0\r\n\r\n")
        .replace(&format!("To: <sip:5550100@{}>", caller.node()), &format!("To: {to}"));
    caller.send(ack.as_bytes()).await;

    let (to_near, to_far) = (media_of(&answered), media_of(&rung));
    let (sent, heard, _, _) = tokio::join!(
        speak(&near_rtp, &to_near, near, 500),
        listen(&far_rtp, far, 11),
        speak(&far_rtp, &to_far, far, 500),
        listen(&near_rtp, near, 11),
    );
    // The first seconds fill the buffers.
    let mut delays: Vec<f64> = sent
        .iter()
        .skip(4)
        .filter_map(|sent| {
            let arrival = heard.iter().find(|heard| *heard >= sent)?;
            Some(arrival.duration_since(*sent).as_secs_f64() * 1_000.0)
        })
        .collect();
    assert!(delays.len() >= 14, "only {} of {} loud packets were heard", heard.len(), sent.len());
    println!("{} to {}: {delays:.1?} ms", near.name, far.name);
    delays.sort_by(f64::total_cmp);
    delays[delays.len() / 2]
}

#[tokio::test]
#[ignore = "measures milliseconds: needs an idle machine; run with --ignored"]
async fn the_node_adds_less_than_30_ms_to_the_way_of_the_audio() {
    let relayed = median_delay(PCMU, PCMU).await;
    let transcoded = median_delay(PCMU, PCMA).await;

    println!("added delay: relayed {relayed:.2} ms, transcoded {transcoded:.2} ms");
    assert!(relayed < 10.0, "relayed: {relayed:.1} ms");
    assert!(transcoded < 30.0, "transcoded: {transcoded:.1} ms");
}
