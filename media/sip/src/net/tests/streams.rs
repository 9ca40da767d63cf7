//! Connections that misbehave, and those that are kept.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn node(change: impl FnOnce(&mut Config)) -> (Node, SocketAddr) {
    let mut config = config(&[Transport::Tcp]);
    config.limits.exempt_loopback = false;
    change(&mut config);
    let node = Node::start(config).await;
    let addr = node.addr(Transport::Tcp);
    (node, addr)
}

async fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let length = timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
    buffer.truncate(length);
    buffer
}

fn request(method: &str, call: &str) -> String {
    raw_request(method, call, "127.0.0.1:5060", "TCP")
}

#[tokio::test]
async fn messages_are_cut_out_of_the_stream_however_it_is_chopped() {
    let (mut node, addr) = node(|config| config.limits.exempt_loopback = true).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let both = request("OPTIONS", "a") + "\r\n\r\n" + &request("OPTIONS", "b");
    for piece in both.as_bytes().chunks(37) {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }

    assert_eq!(node.next().await.request.call_id(), "a");
    assert_eq!(node.next().await.request.call_id(), "b");
    assert_eq!(read(&mut stream).await, b"\r\n");
}

#[tokio::test]
async fn a_ping_gets_a_pong() {
    let (_node, addr) = node(|_| {}).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(b"\r\n\r\n").await.unwrap();
    assert_eq!(read(&mut stream).await, b"\r\n");
}

#[tokio::test]
async fn a_connection_that_proves_nothing_is_closed_even_if_it_pings() {
    let (_node, addr) = node(|c| c.limits.unproven_idle = Duration::from_millis(120)).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"\r\n\r\n").await.unwrap();
        assert_eq!(read(&mut stream).await, b"\r\n");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert!(read(&mut stream).await.is_empty());
}

#[tokio::test]
async fn a_connection_that_is_proven_or_answered_stays() {
    for proves in [true, false] {
        let (mut node, addr) = node(|c| c.limits.unproven_idle = Duration::from_millis(100)).await;
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(request("INVITE", "a").as_bytes()).await.unwrap();
        let got = node.next().await;
        match proves {
            true => node.handle.prove(got.flow),
            false => node.answer(&got, 180, "far"),
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        node.answer(&got, 200, "far");
        let mut heard = Vec::new();
        while !String::from_utf8_lossy(&heard).contains("SIP/2.0 200") {
            let more = read(&mut stream).await;
            assert!(!more.is_empty(), "closed");
            heard.extend(more);
        }
    }
}

#[tokio::test]
async fn one_source_has_only_so_many_connections() {
    let (node, addr) = node(|config| config.limits.connections_per_source = 3).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(b"\r\n\r\n").await.unwrap();
        read(&mut stream).await;
        open.push(stream);
    }

    let mut one_more = TcpStream::connect(addr).await.unwrap();
    assert!(read(&mut one_more).await.is_empty());

    drop(open.pop());
    for _ in 0..100 {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let _ = stream.write_all(b"\r\n\r\n").await;
        if stream.read(&mut [0; 8]).await.is_ok_and(|length| length > 0) {
            assert_eq!(node.handle.stats().connections, 3);
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the place was never given back");
}

#[tokio::test]
async fn broken_framing_ends_the_connection() {
    let (node, addr) = node(|_| {}).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let broken = request("OPTIONS", "a").replace("Content-Length: 0", "Content-Length: -1");
    stream.write_all(broken.as_bytes()).await.unwrap();

    while !read(&mut stream).await.is_empty() {}

    assert_eq!(node.handle.stats().malformed, 1);
    assert_eq!(node.handle.stats().connections, 0);
}

#[tokio::test]
async fn an_endless_header_ends_the_connection() {
    let (_node, addr) = node(|config| config.limits.message_bytes = 4_096).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let mut closed = false;
    stream.write_all(b"OPTIONS sip:a@b SIP/2.0\r\nX: ").await.unwrap();
    for _ in 0..1_000 {
        if stream.write_all(&[b'x'; 1_024]).await.is_err() {
            closed = true;
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(closed || read(&mut stream).await.is_empty());
}

#[tokio::test]
async fn an_answer_finds_a_peer_that_lost_its_connection() {
    let (mut node, addr) = node(|config| config.limits.exempt_loopback = true).await;
    let listener = tokio::net::TcpListener::bind(any_port()).await.unwrap();
    let sent_by = listener.local_addr().unwrap().to_string();
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let raw = raw_request("OPTIONS", "a", &sent_by, "TCP");
    stream.write_all(raw.as_bytes()).await.unwrap();
    let got = node.next().await;
    drop(stream);
    while node.handle.path(got.flow).is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    node.answer(&got, 200, "far");

    let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    assert!(read(&mut stream).await.starts_with(b"SIP/2.0 200"));
}

async fn upgrade(addr: SocketAddr, headers: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         {headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    String::from_utf8_lossy(&read(&mut stream).await).into_owned()
}

/// RFC 7118 4.1.
#[tokio::test]
async fn a_websocket_must_speak_sip_and_come_from_an_allowed_origin() {
    let mut config = config(&[Transport::Ws]);
    config.limits.origins = vec!["https://panel.example.com".to_owned()];
    let node = Node::start(config).await;
    let addr = node.addr(Transport::Ws);
    let sip = "Sec-WebSocket-Protocol: chat, sip\r\n";

    assert!(upgrade(addr, "").await.starts_with("HTTP/1.1 400"));
    let evil = format!("{sip}Origin: https://evil.example.com\r\n");
    assert!(upgrade(addr, &evil).await.starts_with("HTTP/1.1 403"));
    let good = format!("{sip}Origin: https://panel.example.com\r\n");
    let answer = upgrade(addr, &good).await.to_ascii_lowercase();

    assert!(answer.starts_with("http/1.1 101"));
    assert!(answer.contains("sec-websocket-protocol: sip\r\n"));
}
