#![allow(clippy::unwrap_used)]
use std::time::Duration;

use tandem_config::Resource;
use tandem_config::resource::User;
use tandem_journal::{Config, Journal};
use tandem_kernel::{Clock, Position, Timestamp};
use tempfile::TempDir;

use super::event::SessionEvent;
use super::table::{Table, Worth};
use super::{ADMIN_IDLE, LIFE, Sessions, mark_of};
use crate::entity;
use crate::office::Principal;
use crate::provisioning::{Directory, Provisioning};

const KEY: [u8; 32] = [7; 32];

fn user(name: &str, role: &str) -> User {
    let json = serde_json::json!({ "name": name, "role": role, "password_hash": "$argon2id$x" });
    serde_json::from_value(json).unwrap()
}

async fn provisioned(users: &[&User]) -> (Provisioning, Journal, TempDir) {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Clock::start());
    let journal = Journal::open(Config::new(dir.path(), clock)).await.unwrap();
    let provisioning = Provisioning::new(journal.clone(), clock);
    for &user in users {
        let user = Resource::User(user.clone());
        provisioning.create(&Principal::system(), user).await.unwrap();
    }
    (provisioning, journal, dir)
}

fn opened(user: &User) -> SessionEvent {
    SessionEvent::Opened {
        user: user.name.clone(),
        password: mark_of(user),
        from: "192.0.2.1".into(),
    }
}

/// What a session opened at `0` is worth after so long, used once in between or not.
fn worth(directory: &Directory, user: &User, after: Duration, used: Option<Duration>) -> Worth {
    let begin = Timestamp::from_secs(1_000_000);
    let mut table = Table::default();
    table.evolve(begin, &KEY, &opened(user));
    if let Some(used) = used {
        table.evolve(begin + used, &KEY, &SessionEvent::Used);
    }
    table.use_one(begin + after, directory, &KEY)
}

#[tokio::test]
async fn an_administrator_is_signed_out_by_quiet_and_others_by_age() {
    let (admin, agent) = (user("root", "admin"), user("chen", "manager"));
    let (provisioning, _journal, _dir) = provisioned(&[&admin, &agent]).await;
    let directory = provisioning.directory();
    let second = Duration::from_secs(1);
    let good = |worth: &Worth| matches!(worth, Worth::Good { .. });

    assert!(good(&worth(&directory, &admin, ADMIN_IDLE - second, None)));
    assert_eq!(worth(&directory, &admin, ADMIN_IDLE, None), Worth::Expired);
    assert!(good(&worth(&directory, &admin, ADMIN_IDLE, Some(second))));
    assert!(good(&worth(&directory, &agent, LIFE - second, None)));
    assert_eq!(worth(&directory, &agent, LIFE, Some(LIFE - second)), Worth::Expired);
    assert_eq!(Table::default().use_one(Timestamp::from_secs(1), &directory, &KEY), Worth::Unknown);
}

/// The journal is told of a use once a minute, and only where quiet ends a session.
#[tokio::test]
async fn only_the_uses_that_matter_are_noted() {
    let (admin, agent) = (user("root", "admin"), user("chen", "manager"));
    let (provisioning, _journal, _dir) = provisioned(&[&admin, &agent]).await;
    let directory = provisioning.directory();
    for (user, wanted) in [(admin, vec![60, 120]), (agent, vec![])] {
        let begin = Timestamp::from_secs(1_000_000);
        let mut table = Table::default();
        table.evolve(begin, &KEY, &opened(&user));
        let noted: Vec<u64> = (1..150)
            .filter(|&secs| {
                let now = begin + Duration::from_secs(secs);
                matches!(table.use_one(now, &directory, &KEY), Worth::Good { note: true, .. })
            })
            .collect();
        assert_eq!(noted, wanted, "{}", user.name);
    }
}

#[tokio::test]
async fn a_restart_signs_nobody_out_and_nobody_in_again() {
    let chen = user("chen", "manager");
    let (provisioning, journal, _dir) = provisioned(&[&chen]).await;
    let sessions = Sessions::new(provisioning.clone(), journal.clone(), Clock::start());
    for key in [[1; 32], [2; 32]] {
        sessions.open(key, &chen, "192.0.2.1".into()).await.unwrap();
    }
    sessions.close([2; 32]).await.unwrap();

    let again = Sessions::new(provisioning, journal.clone(), Clock::start());
    for record in journal.read(Position::START, 100).await.unwrap() {
        if record.entity.kind == entity::SESSION {
            again.replay(record.at, &record.entity.key, &record.event).unwrap();
        }
    }

    assert_eq!(again.principal(&[1; 32]).unwrap().name, "user:chen");
    assert_eq!(again.principal(&[2; 32]), None);
    assert!(again.replay(Timestamp::from_secs(1), "x", &"".into()).is_err());
}

/// What is on disk stays readable.
#[test]
fn the_bytes_of_session_facts_do_not_change() {
    let hex = |event: &SessionEvent| -> String {
        entity::encode(event).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let opened =
        SessionEvent::Opened { user: "chen".into(), password: [9; 32], from: "192.0.2.1".into() };
    let password = "09".repeat(32);
    assert_eq!(hex(&opened), format!("010000046368656e{password}093139322e302e322e31"));
    assert_eq!(hex(&SessionEvent::Used), "010001");
    assert_eq!(hex(&SessionEvent::Closed { user: "chen".into() }), "010002046368656e");
    assert_eq!(hex(&SessionEvent::Expired), "010003");
}
