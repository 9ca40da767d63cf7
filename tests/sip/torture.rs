//! The messages of RFC 4475 and RFC 5118 against a running node: it lives on after each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tandem_tests::{Office, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

fn messages() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../media/sip/tests/data");
    let index = std::fs::read_to_string(root.join("index.tsv")).unwrap();
    index
        .lines()
        .skip(1)
        .map(|line| {
            let file: PathBuf = root.join(line.split('\t').nth(2).unwrap());
            (line.split('\t').nth(1).unwrap().to_owned(), std::fs::read(file).unwrap())
        })
        .collect()
}

async fn over_tcp(node: &str, message: &[u8], piece: usize) {
    let mut stream = TcpStream::connect(node).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for part in message.chunks(piece) {
        // A node that has seen enough may close.
        if stream.write_all(part).await.is_err() {
            return;
        }
    }
    let mut answer = [0; 4_096];
    let _ = timeout(Duration::from_millis(40), stream.read(&mut answer)).await;
}

#[tokio::test]
async fn the_node_lives_on_after_each_torture_message_over_udp_and_tcp() {
    let office = Office::open().await;
    let wire = Wire::open("127.0.0.1", office.node.sip("udp")).await;
    let tcp = office.node.sip("tcp").to_owned();
    let messages = messages();
    assert!(messages.len() > 60, "the corpus is here: {}", messages.len());

    for (index, (name, message)) in messages.iter().enumerate() {
        wire.send(message).await;
        over_tcp(&tcp, message, message.len()).await;
        over_tcp(&tcp, message, 1).await;
        let lives = wire.is_answered(&format!("after{index}"), Duration::from_secs(3)).await;
        assert!(lives, "no answer to OPTIONS after {name}");
    }

    office.quiet().await;
}
