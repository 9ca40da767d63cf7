//! A flipped bit and a truncated file: the node refuses to start and says what is damaged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::Node;

use crate::{said, tandem};

/// A data folder with a few hundred facts in it, the node being down.
async fn filled() -> (tempfile::TempDir, Value) {
    let dir = tempfile::tempdir().unwrap();
    let mut node = Node::start(dir.path()).await;
    let range = json!({ "queue_numbers": { "first": 6_400, "last": 6_699 } });
    node.api().patch("/api/v1/settings", range).await;
    for index in 0..120 {
        let number = (6_500 + index).to_string();
        let queue = json!({ "number": number, "name": format!("queue {index}") });
        node.api().post("/api/v1/queues", queue).await;
    }
    let queues = node.api().get("/api/v1/queues?limit=200").await;
    node.stop().await;
    (dir, queues)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The biggest file of the store: that of the log or of the state, which is made again from it.
fn log(dir: &Path) -> PathBuf {
    let is_store = |path: &PathBuf| !path.to_string_lossy().contains("/prompts/");
    files(&dir.join("data"))
        .into_iter()
        .filter(is_store)
        .filter(|path| path.to_string_lossy().contains("journal"))
        .max_by_key(|path| std::fs::metadata(path).unwrap().len())
        .expect("there is a journal")
}

/// Places in a file at which something is written, spread over it.
fn written(bytes: &[u8], count: usize) -> Vec<usize> {
    let all: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    (0..count).map(|index| all[(index * 2 + 1) * all.len() / (count * 2)]).collect()
}

/// Everywhere where a text is written.
fn places_of(bytes: &[u8], text: &str) -> Vec<usize> {
    let all = bytes.windows(text.len()).enumerate();
    all.filter(|(_, window)| *window == text.as_bytes()).map(|(at, _)| at).collect()
}

async fn assert_refuses(dir: &Path, what: &str) {
    let run = tandem(dir, "run");
    let output = tokio::time::timeout(Duration::from_secs(20), run).await;
    let output = output.unwrap_or_else(|_| panic!("{what}: the node started"));
    let text = said(&output);
    assert!(!output.status.success(), "{what}: the node ended well: {text}");
    assert!(text.contains("damage") || text.contains("corrupt"), "{what}: it says {text}");
    assert!(!text.contains("panicked at"), "{what}: {text}");
}

#[tokio::test]
async fn a_flipped_bit_is_found_and_said_or_does_no_harm() {
    let (dir, queues) = filled().await;
    let file = log(dir.path());
    let sound = std::fs::read(&file).unwrap();

    // Spread over the file: much of it may be what was written since elsewhere.
    for at in written(&sound, 12) {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&file, &bytes).unwrap();
        let checked = tandem(dir.path(), "verify").await;
        if checked.status.success() {
            let mut node = Node::start(dir.path()).await;
            let now = node.api().get("/api/v1/queues?limit=200").await;
            node.kill().await;
            assert_eq!(now, queues, "a bit flipped at {at} changed what is stored");
        } else {
            let text = said(&checked);
            assert!(text.contains("damage") || text.contains("corrupt"), "at {at}: {text}");
        }
        for path in files(file.parent().unwrap()) {
            if path != file && path.extension().is_some_and(|ending| ending == "tmp") {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_in_the_log_is_found_and_said() {
    let (dir, _) = filled().await;
    let file = dir.path().join("data/journal/log/db");
    let mut bytes = std::fs::read(&file).unwrap();
    let places = places_of(&bytes, "\"queue 5\"");
    assert!(!places.is_empty(), "the log does not hold the queue in clear");

    for at in places {
        bytes[at + 1] ^= 0x10;
    }
    std::fs::write(&file, &bytes).unwrap();

    let checked = tandem(dir.path(), "verify").await;
    let text = said(&checked);
    assert!(!checked.status.success(), "{text}");
    assert!(text.contains("damage") || text.contains("corrupt"), "{text}");
    assert_refuses(dir.path(), "a bit flipped in a queue's name").await;
}

#[tokio::test]
async fn a_truncated_file_is_found_and_said() {
    let (dir, _) = filled().await;
    let file = log(dir.path());
    let sound = std::fs::read(&file).unwrap();

    for share in [2, 4] {
        std::fs::write(&file, &sound[..sound.len() * (share - 1) / share]).unwrap();
        let checked = tandem(dir.path(), "verify").await;
        assert!(!checked.status.success(), "cut to {}/{share}: {}", share - 1, said(&checked));
        assert_refuses(dir.path(), &format!("cut to {}/{share}", share - 1)).await;
    }
}
