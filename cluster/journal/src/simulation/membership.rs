//! Members join, vote, leave, hand over, fall behind and come back.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::world::World;
use super::{append, converged, records};
use crate::{AppendError, Begin, MemberError};

#[tokio::test(start_paused = true)]
async fn an_append_at_a_follower_is_done_once_and_is_read_there_at_once() {
    let world = World::new(1, 3).await;
    let leader = world.leader().await;
    let follower = world.nodes().into_iter().find(|node| *node != leader).unwrap();
    let (journal, _) = world.journal(follower).unwrap();

    let first = journal.append(append("a", 7)).await.unwrap();
    let here = records(&journal).await;
    let again = journal.append(append("a", 7)).await.unwrap();
    let without = crate::Append { op_id: None, ..append("a", 8) };
    let second = journal.append(without).await.unwrap();

    assert_eq!((first.version, again), (1, first));
    assert_eq!(here.len(), 1);
    assert_eq!(second.version, 2);
    assert_eq!(converged(&world).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stale_epoch_is_refused_wherever_it_is_appended() {
    let world = World::new(2, 3).await;
    let epoch = |epoch, op_id| crate::Append { epoch, ..append("queue", op_id) };
    world.any().append(epoch(5, 1)).await.unwrap();

    for node in world.nodes() {
        let (journal, _) = world.journal(node).unwrap();
        let refused = journal.append(epoch(4, 10 + u128::from(node))).await;
        assert_eq!(refused, Err(AppendError::StaleEpoch { current: 5 }), "at {node}");
    }
}

#[tokio::test(start_paused = true)]
async fn leadership_moves_on_wish_and_appends_go_on() {
    let world = World::new(3, 3).await;
    let before = world.leader().await;
    world.any().append(append("a", 1)).await.unwrap();

    let (journal, _) = world.journal(before).unwrap();
    let begun = Instant::now();
    let told = journal.hand_over(None).await.unwrap();
    journal.append(append("a", 2)).await.unwrap();
    let gap = begun.elapsed();
    let after = world.leader().await;

    assert_ne!(told, before);
    assert_ne!(after, before);
    assert!(gap < Duration::from_millis(500), "{gap:?}");
    assert_eq!(converged(&world).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_side_without_a_quorum_says_so_and_the_other_goes_on() {
    let world = World::new(4, 3).await;
    let leader = world.leader().await;
    let (alone, _) = world.journal(leader).unwrap();
    let other = world.nodes().into_iter().find(|node| *node != leader).unwrap();
    let (majority, _) = world.journal(other).unwrap();
    world.isolate(leader);

    let begun = Instant::now();
    let refused = alone.append(append("a", 1)).await;
    let waited = begun.elapsed();
    let done = majority.append(append("b", 2)).await;
    let age = alone.contact_age();
    world.heal();

    assert_eq!(refused, Err(AppendError::Unavailable));
    assert!(waited <= Duration::from_millis(2_100), "{waited:?}");
    assert_eq!(done.unwrap().version, 1);
    assert!(age.is_none_or(|age| age > Duration::from_millis(500)), "{age:?}");
    // Asked again with the same op id it is done once, whatever became of the first try.
    alone.append(append("a", 1)).await.unwrap();
    assert_eq!(converged(&world).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_is_cut_off_together_with_the_leader_has_no_contact_with_a_quorum() {
    let world = World::new(17, 5).await;
    let leader = world.leader().await;
    let others: Vec<u64> = world.nodes().into_iter().filter(|node| *node != leader).collect();
    let (follower, _) = world.journal(others[0]).unwrap();
    for far in &others[1..] {
        for near in [leader, others[0]] {
            world.cut(near, *far);
            world.cut(*far, near);
        }
    }

    sleep(Duration::from_secs(2)).await;
    let age = follower.contact_age();
    world.heal();
    world.any().append(append("a", 1)).await.unwrap();
    sleep(Duration::from_secs(1)).await;

    assert!(age.is_none_or(|age| age > Duration::from_millis(1_500)), "{age:?}");
    let age = follower.contact_age();
    assert!(age.is_some_and(|age| age < Duration::from_millis(200)), "{age:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_without_a_quorum_is_there_once_and_in_order_after_the_heal() {
    let world = World::new(14, 3).await;
    let leader = world.leader().await;
    let (alone, _) = world.journal(leader).unwrap();
    world.isolate(leader);

    let kept: Vec<_> = (1..=40).map(|op_id| alone.keep(append("a", op_id))).collect();
    let refused = alone.append(append("b", 41)).await;
    sleep(Duration::from_secs(60)).await;
    world.heal();
    let mut versions = Vec::new();
    for pending in kept {
        versions.push(pending.await.unwrap().version);
    }

    assert_eq!(refused, Err(AppendError::Unavailable));
    assert_eq!(versions, (1..=40).collect::<Vec<u64>>());
    let records = converged(&world).await;
    assert_eq!(records.iter().filter(|record| record.entity.key == "a").count(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_learner_follows_is_promoted_demoted_and_removed() {
    let world = World::new(5, 3).await;
    world.any().append(append("a", 1)).await.unwrap();
    world.join(4).await;
    let journal = world.journal(1).unwrap().0;
    let of = |journal: &crate::Journal| {
        let status = journal.status();
        let nodes = |peers: Vec<crate::transport::Peer>| -> Vec<u64> {
            peers.into_iter().map(|peer| peer.node).collect()
        };
        (nodes(status.voters), nodes(status.learners))
    };
    assert_eq!(converged(&world).await.len(), 1);
    assert_eq!(of(&journal), (vec![1, 2, 3], vec![4]));

    world.promote(4).await;
    converged(&world).await;
    assert_eq!(of(&journal), (vec![1, 2, 3, 4], vec![]));
    journal.demote(4).await.unwrap();
    converged(&world).await;
    assert_eq!(of(&journal), (vec![1, 2, 3], vec![4]));
    journal.remove(4).await.unwrap();
    sleep(Duration::from_millis(500)).await;

    assert_eq!(of(&journal), (vec![1, 2, 3], vec![]));
    assert_eq!(journal.promote(4).await, Err(MemberError::Unknown(4)));
    journal.append(append("a", 2)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn node_numbers_are_given_once_and_the_last_voter_stays() {
    let world = World::new(6, 1).await;
    let journal = world.any();

    let first = journal.next_node().await.unwrap();
    let second = journal.next_node().await.unwrap();

    assert!(1 < first && first < second, "{first} {second}");
    assert_eq!(journal.remove(1).await, Err(MemberError::LastVoter));
    assert_eq!(journal.hand_over(None).await, Err(MemberError::LastVoter));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_missed_more_than_the_log_holds_gets_a_copy_of_what_it_missed() {
    let world = World::new(7, 3).await;
    for op_id in 1..=50 {
        world.any().append(append("early", op_id)).await.unwrap();
    }
    let leader = world.leader().await;
    let late = world.nodes().into_iter().find(|node| *node != leader).unwrap();
    world.crash(late);
    let (journal, _) = world.journal(leader).unwrap();
    // An entry each: more than the log keeps behind a snapshot.
    for op_id in 1_000..5_200 {
        journal.append(append(&format!("e{}", op_id % 7), op_id)).await.unwrap();
    }
    let purged = journal.members().writer.raft.metrics();
    let purged = openraft::async_runtime::WatchReceiver::borrow_watched(&purged).purged;
    assert!(purged.is_some_and(|purged| purged.index > 200), "{purged:?}");

    world.start(late, Begin::Join).await;
    let all = converged(&world).await;
    let (back, _) = world.journal(late).unwrap();
    back.append(append("e1", 1_000)).await.unwrap();
    world.crash(late);
    world.start(late, Begin::Join).await;

    assert_eq!(all.len(), 4_250);
    assert_eq!(converged(&world).await.len(), 4_250, "an old operation was done again");
    let (back, _) = world.journal(late).unwrap();
    let loaded = back.load(&crate::Entity::new(crate::Kind(1), "e3")).await.unwrap();
    assert_eq!(loaded.1.len(), 600);
}
