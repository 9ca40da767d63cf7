#![allow(clippy::unwrap_used)]

use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, advance};

use super::{ENOUGH, GATHERED, LONGEST_REST, REST, Rest, take};

/// How long `take` waits after an entry of `appends` when `queued` are there and `told` says
/// whether somebody waits for one of them.
async fn waits(appends: usize, queued: usize, told: bool) -> Duration {
    let (queue, mut requests) = mpsc::channel(1_024);
    let hurry = Notify::new();
    let start = Instant::now();
    for n in 0..queued {
        queue.try_send(n).unwrap();
    }
    if told {
        hurry.notify_one();
    }
    let mut taken = Vec::new();
    let count = take(&mut requests, &mut taken, 1_024, Rest::after(start, appends), &hurry).await;
    assert_eq!((count, taken.len()), (queued, queued));
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn an_append_that_is_awaited_waits_the_longer_the_more_came_before() {
    assert_eq!(waits(1, 1, true).await, REST);
    assert_eq!(waits(3, 1, true).await, REST * 3);
    assert_eq!(waits(50, 1, true).await, LONGEST_REST);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_is_gathered() {
    assert_eq!(waits(1, 1, false).await, GATHERED);
    assert_eq!(waits(50, 5, false).await, GATHERED);
}

#[tokio::test(start_paused = true)]
async fn the_first_and_a_full_entry_go_at_once() {
    assert_eq!(waits(0, 1, false).await, Duration::ZERO);
    assert_eq!(waits(50, ENOUGH, false).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_awaited_takes_the_gathered_ones_with_it() {
    let (queue, mut requests) = mpsc::channel(8);
    let hurry = std::sync::Arc::new(Notify::new());
    let start = Instant::now();
    queue.try_send(1).unwrap();
    let told = hurry.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        queue.try_send(2).unwrap();
        told.notify_one();
    });
    let mut taken = Vec::new();
    take(&mut requests, &mut taken, 8, Rest::after(start, 1), &hurry).await;
    assert_eq!((taken, start.elapsed()), (vec![1, 2], Duration::from_millis(5)));
}

#[tokio::test(start_paused = true)]
async fn after_the_rest_nobody_waits() {
    let (queue, mut requests) = mpsc::channel(8);
    let rest = Rest::after(Instant::now(), 50);
    advance(GATHERED).await;
    let start = Instant::now();
    queue.try_send(1).unwrap();
    let mut taken = Vec::new();
    take(&mut requests, &mut taken, 8, rest, &Notify::new()).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}
