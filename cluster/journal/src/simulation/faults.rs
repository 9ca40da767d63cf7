//! Writers at all members while links are cut and members lose their power.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::history::Outcome;
use super::world::World;
use super::{Seen, append, check, converged, op_of, write};
use crate::{Begin, Record};

const WRITERS: u64 = 6;
const ENTITIES: u64 = 3;

/// Appends, some of them only at the version that the writer saw last, until `until`.
async fn keep_writing(world: World, writer: u64, until: Instant) -> Vec<Seen> {
    let mut history = Vec::new();
    let mut last = None;
    let mut count = 0_u128;
    while Instant::now() < until {
        count += 1;
        let entity = format!("e{}", world.random(ENTITIES));
        let op_id = u128::from(writer) << 64 | count;
        let expected = last.take().filter(|(of, _)| *of == entity).map(|(_, version)| version);
        let seen = write(&world, &entity, op_id, expected).await;
        if let Outcome::Done(version) | Outcome::Refused(version) = seen.outcome {
            last = Some((entity, version));
        }
        history.push(seen);
        sleep(world.pause(1, 30)).await;
    }
    history
}

/// One fault after the other, until `until`; then everything is well again.
async fn keep_breaking(world: World, until: Instant) -> [u32; 5] {
    let mut done = [0; 5];
    while Instant::now() < until {
        let nodes = world.nodes();
        let node = nodes[usize::try_from(world.random(nodes.len() as u64)).unwrap()];
        let other = nodes[usize::try_from(world.random(nodes.len() as u64)).unwrap()];
        let fault = usize::try_from(world.random(5)).unwrap();
        done[fault] += 1;
        match fault {
            0 => world.isolate(node),
            1 => world.cut(node, other),
            2 => world.lose(world.random(30)),
            3 if world.is_up(node) => world.crash(node),
            _ => world.heal(),
        }
        sleep(world.pause(50, 1_500)).await;
        for node in nodes {
            if !world.is_up(node) && world.random(2) == 0 {
                world.start(node, Begin::Join).await;
            }
        }
    }
    world.heal();
    for node in world.nodes() {
        if !world.is_up(node) {
            world.start(node, Begin::Join).await;
        }
    }
    done
}

async fn run(seed: u64, members: u64, time: Duration) -> (Vec<Seen>, Vec<Record>) {
    let world = World::new(seed, members).await;
    let until = Instant::now() + time;
    let writing: Vec<_> = (1..=WRITERS)
        .map(|writer| tokio::spawn(keep_writing(world.clone(), writer, until)))
        .collect();
    let faults = keep_breaking(world.clone(), until).await;
    let mut history = Vec::new();
    for writer in writing {
        history.extend(writer.await.unwrap());
    }
    let records = converged(&world).await;
    check(&history, &records).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    let acknowledged =
        history.iter().filter(|seen| matches!(seen.outcome, Outcome::Done(_))).count();
    println!(
        "seed {seed}, {members} members: faults {faults:?}, {} appends, {acknowledged} \
         acknowledged, {} records",
        history.len(),
        records.len(),
    );
    let least = usize::try_from(time.as_secs()).unwrap();
    assert!(acknowledged > least, "seed {seed}: only {acknowledged} appends were acknowledged");
    (history, records)
}

/// Seeds of one run; `TANDEM_SEEDS=n` tries more, `TANDEM_SEED=n` one.
fn seeds(usually: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match number("TANDEM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..number("TANDEM_SEEDS").unwrap_or(usually) + 1,
    }
}

#[tokio::test(start_paused = true)]
async fn three_members_lose_and_double_nothing_under_cuts_and_crashes() {
    for seed in seeds(4) {
        run(seed, 3, Duration::from_secs(40)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn five_members_lose_and_double_nothing_under_cuts_and_crashes() {
    for seed in seeds(3) {
        run(100 + seed, 5, Duration::from_secs(40)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_comes_back_at_once_gives_no_entry_an_id_that_others_know() {
    let world = World::new(1, 3).await;
    for round in 0..100_u128 {
        let leader = world.leader().await;
        let (journal, _) = world.journal(leader).unwrap();
        for number in 0..3 {
            let journal = journal.clone();
            tokio::spawn(async move { journal.append(append("e", round << 8 | number)).await });
            sleep(world.pause(1, 3)).await;
        }
        drop(journal);
        world.crash(leader);
        world.start(leader, Begin::Join).await;
        write(&world, "e", round << 8 | 255, None).await;
    }
    converged(&world).await;
}

#[tokio::test(start_paused = true)]
async fn a_history_that_no_journal_could_show_is_caught() {
    // In ten seconds, of which most may pass without a quorum, too little is written.
    let (history, records) = run(3, 3, Duration::from_secs(40)).await;
    let done = |seen: &&Seen| matches!(seen.outcome, Outcome::Done(_));
    let first = history.iter().find(done).unwrap();
    // The first version of an entity could have been made at any time.
    let later = |seen: &&Seen| matches!(seen.outcome, Outcome::Done(version) if version > 1);
    let last = history.iter().rfind(later).unwrap();

    let lost: Vec<_> = records.iter().filter(|it| op_of(it) != last.op_id).cloned().collect();
    assert!(check(&history, &lost).unwrap_err().contains("acknowledged"));
    let mut doubled = records.clone();
    doubled.push(records[0].clone());
    assert!(check(&history, &doubled).unwrap_err().contains("twice"));
    let mut early = history.clone();
    let begun = first.begun - Duration::from_secs(2);
    for seen in early.iter_mut().filter(|seen| seen.op_id == last.op_id) {
        (seen.begun, seen.ended) = (begun, begun + Duration::from_millis(1));
    }
    assert!(check(&early, &records).unwrap_err().contains("outside"));
}

#[tokio::test(start_paused = true)]
async fn a_group_whose_members_all_lose_their_power_has_what_it_acknowledged() {
    let world = World::new(9, 3).await;
    for op_id in 1..=40 {
        world.any().append(append("a", op_id)).await.unwrap();
    }

    for node in world.nodes() {
        world.crash(node);
    }
    for node in world.nodes() {
        world.start(node, Begin::Join).await;
    }

    assert_eq!(converged(&world).await.len(), 40);
}
