#![allow(clippy::unwrap_used)]
use tandem_journal::Config;
use tandem_kernel::Timestamp;

use super::event::MailboxEvent;
use super::*;
use crate::entity;

fn left(id: &str, secs: u64) -> MailboxEvent {
    MailboxEvent::Left {
        at: Timestamp::from_secs(secs),
        id: id.into(),
        call: "c".into(),
        from: "1000".into(),
        length_ms: 1_500,
        bytes: 24_044,
        checksum: "00".into(),
    }
}

#[test]
fn a_mailbox_counts_what_is_new_and_what_was_heard() {
    let mut mailbox = Mailbox::default();
    for event in [left("a", 1), left("b", 2), left("c", 3)] {
        mailbox.evolve(&event);
    }
    let now = Timestamp::from_secs(9);
    for (id, change) in [("a", MessageChange::Heard), ("b", MessageChange::Deleted)] {
        for event in mailbox.change(now, id, change, "call:1").unwrap() {
            mailbox.evolve(&event);
        }
    }

    assert_eq!(mailbox.waiting(), Waiting { fresh: 1, heard: 1 });
    let ids: Vec<&str> = mailbox.messages().map(|message| message.id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);
    assert_eq!(mailbox.change(now, "a", MessageChange::Heard, "x"), Some(Vec::new()));
    assert_eq!(mailbox.change(now, "b", MessageChange::Heard, "x"), None);
}

/// What is in a journal stays readable: change no byte of this, add variants.
#[test]
fn the_bytes_of_the_events_are_those_that_were_promised() {
    let at = Timestamp::from_secs(1);
    let heard = MailboxEvent::Heard { at, id: "a".into(), by: "b".into() };
    let deleted = MailboxEvent::Deleted { at, id: "a".into(), by: "b".into() };
    let hex = |event: &MailboxEvent| -> String {
        entity::encode(event).iter().map(|byte| format!("{byte:02x}")).collect()
    };

    assert_eq!(hex(&left("a", 1)), GOLDEN[0]);
    assert_eq!(hex(&heard), GOLDEN[1]);
    assert_eq!(hex(&deleted), GOLDEN[2]);
    assert_eq!(hex(&MailboxEvent::Mailed { at, id: "a".into() }), GOLDEN[3]);
}

const GOLDEN: [&str; 4] = [
    "010000fc40420f00016101630431303030fbdc05fbec5d023030",
    "010001fc40420f0001610162",
    "010002fc40420f0001610162",
    "010003fc40420f000161",
];

async fn mailboxes(dir: &std::path::Path) -> (Journal, Voicemail) {
    let clock = Clock::start();
    let journal = Journal::open(Config::new(dir.join("journal"), clock)).await.unwrap();
    let voicemail = Voicemail::open(journal.clone(), clock, dir.join("voicemail")).unwrap();
    (journal, voicemail)
}

/// A recording of a length, as the engine reports it.
fn recorded(path: &std::path::Path, length_ms: u64) -> RecordedLater {
    std::fs::write(path, b"RIFF").unwrap();
    let (reply, later) = tokio::sync::oneshot::channel();
    reply.send(Ok(Recorded { length_ms, lost_frames: 0 })).unwrap();
    later
}

#[tokio::test]
async fn a_kept_message_is_in_the_journal_and_its_file_is_checked_when_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, voicemail) = mailboxes(dir.path()).await;
    let mut changes = voicemail.watch();
    let (draft, path) = voicemail.begin("1001", CallId::from_u128(1), "1000");

    assert_eq!(voicemail.keep(&draft, recorded(&path, 2_000)).await, Saved::Kept);

    assert_eq!(changes.recv().await.unwrap(), "1001");
    assert_eq!(voicemail.waiting("1001"), Waiting { fresh: 1, heard: 0 });
    let (_, records) = journal.load(&Entity::new(entity::MAILBOX, "1001")).await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(voicemail.audio("1001", &draft.id).await.unwrap(), b"RIFF");
    std::fs::write(voicemail.file("1001", &draft.id).await.unwrap(), b"RIFX").unwrap();
    let damaged = voicemail.audio("1001", &draft.id).await;
    assert!(matches!(damaged, Err(Refusal::Unavailable { .. })), "{damaged:?}");
}

#[tokio::test]
async fn what_is_too_short_or_was_cut_off_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, voicemail) = mailboxes(dir.path()).await;
    let (draft, path) = voicemail.begin("1001", CallId::from_u128(1), "1000");
    assert_eq!(voicemail.keep(&draft, recorded(&path, 20)).await, Saved::TooShort);
    let (_, path) = voicemail.begin("1001", CallId::from_u128(1), "1000");
    std::fs::write(&path, b"RIFF").unwrap();

    let clock = Clock::start();
    let folder = dir.path().join("voicemail");
    drop(Voicemail::open(journal, clock, folder.clone()).unwrap());

    assert_eq!(voicemail.messages("1001"), []);
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
}

#[tokio::test]
async fn the_events_of_all_members_are_taken_in_in_the_journals_order() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::start();
    let journal = Journal::open(Config::new(dir.path().join("journal"), clock)).await.unwrap();
    let voicemail = Voicemail::open(journal, clock, dir.path().join("voicemail")).unwrap();
    let deleted =
        MailboxEvent::Deleted { at: Timestamp::from_secs(2), id: "a".into(), by: "call:1".into() };

    // Our own third event is answered before the first two, another member's, come by.
    for (version, event) in [(3, left("b", 3)), (2, deleted), (1, left("a", 1)), (3, left("b", 3))]
    {
        voicemail.follow("1001", version, &entity::encode(&event)).unwrap();
    }

    let messages = voicemail.messages("1001");
    let ids: Vec<&str> = messages.iter().map(|message| message.id.as_str()).collect();
    assert_eq!(ids, ["b"]);
}
