#![allow(clippy::unwrap_used)]
use tandem_config::{Kind, Resource};
use tandem_journal::{Config, Journal};
use tandem_kernel::Clock;
use tokio::sync::{broadcast, mpsc};

use super::{Change, Watcher};
use crate::office::Principal;
use crate::provisioning::Provisioning;

fn queue(number: &str) -> Resource {
    let json = serde_json::json!({ "number": number, "name": "sales" });
    Resource::Queue(serde_json::from_value(json).unwrap())
}

/// What a watcher told: the kind and key, or what is gone.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    One(String),
    Any(Vec<String>),
}

#[tokio::test]
async fn what_was_removed_is_told_even_if_the_removal_was_missed() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::start();
    let journal = Journal::open(Config::new(dir.path(), clock)).await.unwrap();
    let provisioning = Provisioning::new(journal, clock);
    let by = Principal::system();
    for number in ["6400", "6401"] {
        provisioning.create(&by, queue(number)).await.unwrap();
    }
    let mut watcher = Watcher::new(provisioning.clone(), Kind::Queue);
    let (changes, few) = broadcast::channel(2);
    watcher.changes = few;
    let (told, mut heard) = mpsc::unbounded_channel();

    provisioning.remove(&by, Kind::Queue, "6401", None).await.unwrap();
    provisioning.create(&by, queue("6402")).await.unwrap();
    for number in ["6401", "6402", "6400"] {
        changes.send((Kind::Queue, number.to_owned())).unwrap();
    }
    watcher.run(move |_, change| {
        let said = match change {
            Change::One(_, key) => Told::One(key.to_owned()),
            Change::Any { gone } => Told::Any(gone),
        };
        told.send(said).is_ok()
    });

    assert_eq!(heard.recv().await, Some(Told::Any(vec!["6401".to_owned()])));
    assert_eq!(heard.recv().await, Some(Told::One("6402".to_owned())));
}
