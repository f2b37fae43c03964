//! What every wire promises, checked on each of them. `PORTICO_TEST_REDIS` names the Redis; `bin/test` sets it.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use uuid::{ContextV7, Timestamp, Uuid};

use crate::JobQueue;

/// Lanes of this process alone, since test processes share one Redis.
fn lane(name: &str) -> &'static str {
    format!("test-{}-{name}", std::process::id()).leak()
}

#[expect(clippy::disallowed_methods, reason = "the test's own setting, not the program's")]
fn queues() -> [(JobQueue, &'static str); 2] {
    let url = std::env::var("PORTICO_TEST_REDIS").expect("PORTICO_TEST_REDIS: run the tests by bin/test");
    [(JobQueue::memory(), "memory"), (JobQueue::redis(&url).unwrap(), "redis")]
}

fn ids(count: usize) -> Vec<Uuid> {
    let context = ContextV7::new();
    (0..count as u64).map(|n| Uuid::new_v7(Timestamp::from_unix(&context, 1_800_000_000 + n, 0))).collect()
}

#[tokio::test]
async fn twenty_thousand_ids_drain_each_once_and_oldest_first() {
    for (queue, name) in queues() {
        let lane = lane("drain");
        let ids = ids(20_000);
        for part in ids.chunks(1_000) {
            queue.push(lane, part).await.unwrap();
            queue.push(lane, part).await.unwrap();
        }
        assert_eq!(queue.depth(lane).await.unwrap(), 20_000, "{name}: a double push is one entry");
        let mut consumer = queue.consumer(lane);
        let mut seen = Vec::new();
        while seen.len() < ids.len() {
            let popped = consumer.pop(64).await.unwrap();
            assert!((1..=64).contains(&popped.len()), "{name}: {} at once", popped.len());
            seen.extend(popped);
        }
        assert_eq!(seen, ids, "{name}");
        assert_eq!(queue.depth(lane).await.unwrap(), 0, "{name}");
    }
}

#[tokio::test]
async fn two_consumers_share_and_lanes_are_apart() {
    for (queue, name) in queues() {
        let (busy, quiet) = (lane("busy"), lane("quiet"));
        let ids = ids(200);
        queue.push(busy, &ids).await.unwrap();
        let (mut one, mut two) = (queue.consumer(busy), queue.consumer(busy));
        let mut seen = HashSet::new();
        while seen.len() < 200 {
            let (first, second) = tokio::join!(one.pop(8), two.pop(8));
            for id in first.unwrap().into_iter().chain(second.unwrap()) {
                assert!(seen.insert(id), "{name}: {id} came twice");
            }
        }
        assert_eq!(queue.consumer(quiet).pop(1).await.unwrap(), Vec::<Uuid>::new(), "{name}");
    }
}

#[tokio::test]
async fn an_idle_consumer_picks_up_within_50_ms_at_the_median() {
    for (queue, name) in queues() {
        let lane = lane("idle");
        let mut delays = Vec::new();
        for id in ids(11) {
            let mut consumer = queue.consumer(lane);
            let waiting = tokio::spawn(async move { (consumer.pop(1).await.unwrap(), Instant::now()) });
            tokio::task::yield_now().await;
            let pushed = Instant::now();
            queue.push(lane, &[id]).await.unwrap();
            let (popped, at) = waiting.await.unwrap();
            assert_eq!(popped, [id], "{name}");
            delays.push(at.saturating_duration_since(pushed));
        }
        delays.sort();
        assert!(delays[5] < Duration::from_millis(50), "{name}: {delays:?}");
    }
}

#[tokio::test]
async fn an_unreadable_id_is_skipped() {
    let [_, (JobQueue::Redis(queue), _)] = queues() else { panic!("the second queue is Redis") };
    let lane = lane("unreadable");
    let good = ids(1);
    queue.push(lane, &good).await.unwrap();
    queue.push_raw(lane, "not-an-id").await.unwrap();
    let mut consumer = queue.consumer(lane);
    let mut seen = Vec::new();
    while queue.depth(lane).await.unwrap() > 0 {
        seen.extend(consumer.pop(8).await.unwrap());
    }
    assert_eq!(seen, good);
}

#[tokio::test]
async fn an_unreachable_redis_is_an_error_soon_and_not_a_hang() {
    let queue = JobQueue::redis("redis://127.0.0.1:1").unwrap();
    let started = Instant::now();
    assert!(queue.push("urgent", &ids(1)).await.is_err());
    assert!(queue.consumer("urgent").pop(1).await.is_err());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
