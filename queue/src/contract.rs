//! The contract of the job queue, tested on every implementation. `PORTICO_TEST_REDIS` is the URL of the Redis server
//! for the tests; `bin/test` sets it.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use uuid::{ContextV7, Timestamp, Uuid};

use crate::JobQueue;

/// Returns a lane name that only this process uses, because test processes share one Redis server.
fn lane(name: &str) -> &'static str {
    format!("test-{}-{name}", std::process::id()).leak()
}

#[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of the program")]
fn queues() -> [(JobQueue, &'static str); 2] {
    let url = std::env::var("PORTICO_TEST_REDIS").expect("PORTICO_TEST_REDIS must be set; run the tests with bin/test");
    [(JobQueue::memory(), "memory"), (JobQueue::redis(&url).unwrap(), "redis")]
}

fn ids(count: usize) -> Vec<Uuid> {
    let context = ContextV7::new();
    (0..count as u64).map(|n| Uuid::new_v7(Timestamp::from_unix(&context, 1_800_000_000 + n, 0))).collect()
}

#[tokio::test]
async fn each_id_is_popped_once_and_the_oldest_first() {
    for (queue, name) in queues() {
        let lane = lane("drain");
        let ids = ids(20_000);
        for part in ids.chunks(1_000) {
            queue.push(lane, part).await.unwrap();
            queue.push(lane, part).await.unwrap();
        }
        assert_eq!(queue.depth(lane).await.unwrap(), 20_000, "{name}: an id that is pushed twice is in the lane once");
        let mut consumer = queue.consumer(lane);
        let mut seen = Vec::new();
        while seen.len() < ids.len() {
            let popped = consumer.pop(64).await.unwrap();
            assert!((1..=64).contains(&popped.len()), "{name}: {} ids in one pop", popped.len());
            seen.extend(popped);
        }
        assert_eq!(seen, ids, "{name}");
        assert_eq!(queue.depth(lane).await.unwrap(), 0, "{name}");
    }
}

#[tokio::test]
async fn consumers_share_a_lane_and_lanes_are_separate() {
    for (queue, name) in queues() {
        let (busy, quiet) = (lane("busy"), lane("quiet"));
        let ids = ids(200);
        queue.push(busy, &ids).await.unwrap();
        let (mut first, mut second) = (queue.consumer(busy), queue.consumer(busy));
        let mut seen = HashSet::new();
        while seen.len() < 200 {
            let (from_first, from_second) = tokio::join!(first.pop(8), second.pop(8));
            for id in from_first.unwrap().into_iter().chain(from_second.unwrap()) {
                assert!(seen.insert(id), "{name}: {id} was popped twice");
            }
        }
        assert_eq!(queue.consumer(quiet).pop(1).await.unwrap(), Vec::<Uuid>::new(), "{name}");
    }
}

#[tokio::test]
async fn idle_consumer_gets_a_pushed_id_within_50_ms_at_the_median() {
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
async fn entry_that_is_not_an_id_is_skipped() {
    let [_, (JobQueue::Redis(queue), _)] = queues() else { panic!("the second queue is Redis") };
    let lane = lane("not-an-id");
    let valid = ids(1);
    queue.push(lane, &valid).await.unwrap();
    queue.push_raw(lane, "not-an-id").await.unwrap();
    let mut consumer = queue.consumer(lane);
    let mut seen = Vec::new();
    while queue.depth(lane).await.unwrap() > 0 {
        seen.extend(consumer.pop(8).await.unwrap());
    }
    assert_eq!(seen, valid);
}

#[tokio::test]
async fn unreachable_redis_is_an_error_within_five_seconds() {
    let queue = JobQueue::redis("redis://127.0.0.1:1").unwrap();
    let started = Instant::now();
    assert!(queue.push("urgent", &ids(1)).await.is_err());
    assert!(queue.consumer("urgent").pop(1).await.is_err());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
