use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::{Node, generous};
use crate::Limits;

/// The status line of an answer over a connection of its own.
async fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_draining_node_answers_until_it_is_shut_down() {
    let node = Node::with(Limits { connections: 1, ..generous() }).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move {
        stopped.await.unwrap();
    };
    let served = tandem_kernel::spawn("http", crate::serve(listener, node.edge.clone(), shutdown));

    // One connection at a time: each gives its place back.
    for _ in 0..3 {
        assert_eq!(ask(address, "/livez").await, "HTTP/1.1 200 OK");
    }
    node.edge.drain();
    assert_eq!(ask(address, "/livez").await, "HTTP/1.1 200 OK");
    assert_eq!(ask(address, "/readyz").await, "HTTP/1.1 503 Service Unavailable");
    stop.send(()).unwrap();

    served.await.unwrap().unwrap();
}

/// S37: nobody keeps one of the places by never coming to the point.
#[tokio::test]
async fn a_connection_without_a_whole_request_gives_its_place_back() {
    let quiet = Duration::from_millis(300);
    let node = Node::with(Limits { connections: 1, quiet, ..generous() }).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let forever = std::future::pending();
    tandem_kernel::spawn("http", crate::serve(listener, node.edge.clone(), forever));
    for said in ["", "GET /livez HTTP/1.1\r\nHost: a\r\n", "POST /api/v1/session HTTP/1.1\r\n"] {
        let begin = Instant::now();
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(said.as_bytes()).await.unwrap();
        let mut heard = Vec::new();
        // The connection ends, in order or not.
        let _ended = idle.read_to_end(&mut heard).await;
        assert!(heard.is_empty() && begin.elapsed() >= quiet);
        assert_eq!(ask(address, "/livez").await, "HTTP/1.1 200 OK");
    }
}

#[test]
fn a_host_is_known_by_its_network() {
    let network = |text: &str| crate::limits::network(text.parse().unwrap()).to_string();
    assert_eq!(network("192.0.2.7"), "192.0.2.7");
    assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
    assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
}

/// The node keeps no metrics here, which it says only to its own host.
#[tokio::test]
async fn the_metrics_are_open_to_the_own_host_and_to_tokens() {
    let node = Node::start().await;
    assert_eq!(
        node.ask(axum::http::Method::GET, "/metrics", &[("authorization", "")], None)
            .await
            .status
            .as_u16(),
        401
    );
    assert_eq!(node.get("/metrics").await.status.as_u16(), 503);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let forever = std::future::pending();
    tandem_kernel::spawn("http", crate::serve(listener, node.edge.clone(), forever));
    assert_eq!(ask(address, "/metrics").await, "HTTP/1.1 503 Service Unavailable");
}
