//! What it costs to read a message and to find its transaction, in nanoseconds, best of ten.

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use tandem_sip::message::{Draft, Message};
use tandem_sip::transaction::Keys;

/// 1.1 kB, 18 headers, as a phone sends it.
const INVITE: &str = "INVITE sip:6400@office.example.com;transport=udp SIP/2.0\r\n\
Via: SIP/2.0/UDP 192.0.2.17:5060;branch=z9hG4bK-524287-1---f2a6c1d8e0b94d15;rport\r\n\
Max-Forwards: 70\r\n\
Contact: <sip:1000@192.0.2.17:5060;transport=udp;ob>\r\n\
To: <sip:6400@office.example.com;transport=udp>\r\n\
From: \"Alice Example\" <sip:1000@office.example.com;transport=udp>;tag=8d3f2c6a\r\n\
Call-ID: 6wq2yFq3c1x8bV0kQk3vVQ..@192.0.2.17\r\n\
CSeq: 2 INVITE\r\n\
Allow: INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, MESSAGE, OPTIONS, INFO, SUBSCRIBE\r\n\
Content-Type: application/sdp\r\n\
Supported: replaces, 100rel, timer, norefersub, outbound\r\n\
User-Agent: Some Softphone 5.4.12 v2.10.17.4\r\n\
Allow-Events: presence, kpml, talk\r\n\
Session-Expires: 1800;refresher=uac\r\n\
Min-SE: 90\r\n\
P-Preferred-Identity: <sip:1000@office.example.com>\r\n\
Accept: application/sdp\r\n\
Content-Length: 265\r\n\r\n\
v=0\r\n\
o=- 1793000000 1 IN IP4 192.0.2.17\r\n\
s=a call\r\n\
c=IN IP4 192.0.2.17\r\n\
t=0 0\r\n\
m=audio 40000 RTP/AVP 8 0 9 96 101\r\n\
a=rtpmap:8 PCMA/8000\r\n\
a=rtpmap:0 PCMU/8000\r\n\
a=rtpmap:9 G722/8000\r\n\
a=rtpmap:96 opus/48000/2\r\n\
a=rtpmap:101 telephone-event/8000\r\n\
a=fmtp:101 0-16\r\n\
a=sendrecv\r\n";

fn main() {
    let (head, body) = INVITE.split_once("\r\n\r\n").unwrap_or((INVITE, ""));
    let head = head.replace("Content-Length: 265", &format!("Content-Length: {}", body.len()));
    let raw = Bytes::from(format!("{head}\r\n\r\n{body}"));
    let invite = match Message::parse(raw.clone()) {
        Ok(invite) => invite,
        Err(error) => return eprintln!("the message is malformed: {error}"),
    };
    let keys = Keys::fresh();
    println!("{} bytes, {} values", raw.len(), invite.fields().count());
    report("find line ends (bound)", || {
        black_box(memchr::memchr_iter(b'\n', &raw).map(|at| at & 1).sum::<usize>());
    });
    report("parse", || drop(black_box(Message::parse(raw.clone()))));
    report("parse, key", || {
        let message = Message::parse(raw.clone());
        drop(black_box(message.map(|message| keys.of_request(&message))));
    });
    report("parse, check, key", || {
        let message = Message::parse(raw.clone());
        drop(black_box(message.and_then(|m| m.check().map(|()| keys.of_request(&m)))));
    });
    report("copy, parse, check, key", || {
        let message = Message::parse(Bytes::copy_from_slice(&raw));
        drop(black_box(message.and_then(|m| m.check().map(|()| keys.of_request(&m)))));
    });
    report("answer", || drop(black_box(Draft::response(&invite, 180).encode())));
}

/// Times the work, unless the command line names other work only.
fn report(what: &str, mut work: impl FnMut()) {
    const ROUNDS: u32 = 100_000;
    if std::env::args().nth(1).is_some_and(|wanted| wanted != what) {
        return;
    }
    let mut round = || {
        let start = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        start.elapsed().as_nanos() as f64 / f64::from(ROUNDS)
    };
    let best = (0..10).map(|_| round()).fold(f64::INFINITY, f64::min);
    println!("{what:>24}: {best:6.0} ns");
}
