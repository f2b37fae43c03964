//! Ways of asking.

use std::{future::Future, sync::Arc, time::Duration};

use anyhow::Result;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{http::Client, stats::ms};

/// What a load came to.
#[derive(Default)]
pub(crate) struct Load {
    /// Answers of 2xx, or of the one status that is wanted.
    pub(crate) good: usize,
    /// All others.
    pub(crate) bad: usize,
    /// How long it took, in seconds.
    pub(crate) seconds: f64,
    /// Milliseconds of each good answer.
    pub(crate) times: Vec<f64>,
}

impl Load {
    /// Good answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.good as f64 / self.seconds
    }
}

/// Closed loop: each client sends its request again as soon as it is answered, for `window`.
pub(crate) async fn closed(clients: Vec<(Client, Vec<u8>)>, window: Duration) -> Result<Load> {
    closed_with(clients, window, |request, _| request.clone()).await
}

/// As [`closed`], where `status` is the good answer.
pub(crate) async fn closed_for(status: u16, clients: Vec<(Client, Vec<u8>)>, window: Duration) -> Result<Load> {
    run(clients, window, |request, _| request.clone(), move |answer| answer == status).await
}

/// As [`closed`]; `make` makes each client's `n`th request from what it holds.
pub(crate) async fn closed_with<T: Send + 'static>(
    clients: Vec<(Client, T)>,
    window: Duration,
    make: impl Fn(&T, usize) -> Vec<u8> + Send + Sync + 'static,
) -> Result<Load> {
    run(clients, window, make, |status| (200..300).contains(&status)).await
}

async fn run<T: Send + 'static>(
    clients: Vec<(Client, T)>,
    window: Duration,
    make: impl Fn(&T, usize) -> Vec<u8> + Send + Sync + 'static,
    is_good: impl Fn(u16) -> bool + Copy + Send + 'static,
) -> Result<Load> {
    let (make, started) = (Arc::new(make), Instant::now());
    let mut tasks = JoinSet::new();
    for (mut client, held) in clients {
        let make = make.clone();
        tasks.spawn(async move {
            let mut load = Load::default();
            for n in 0.. {
                let request = make(&held, n);
                let began = Instant::now();
                let answer = client.send(&request).await?;
                // What ends after the window is not counted, as what began before it was not.
                if started.elapsed() > window {
                    break;
                }
                if is_good(answer.status) {
                    load.good += 1;
                    load.times.push(ms(began.elapsed()));
                } else {
                    load.bad += 1;
                }
            }
            anyhow::Ok(load)
        });
    }
    let mut all = Load { seconds: window.as_secs_f64(), ..Load::default() };
    while let Some(done) = tasks.join_next().await {
        let done = done??;
        all.good += done.good;
        all.bad += done.bad;
        all.times.extend(done.times);
    }
    Ok(all)
}

/// Open loop: `rate` requests a second by the clock, whether answers come or not, for `window`. `ask` says when
/// it was done, and each time counts from when the request was due, so that a stall is seen by all that it delayed.
pub(crate) async fn open<F: Future<Output = Result<Instant>> + Send + 'static>(
    rate: f64,
    window: Duration,
    mut ask: impl FnMut(usize) -> F,
) -> Result<Vec<f64>> {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for n in 0..(rate * window.as_secs_f64()) as usize {
        let due = started + Duration::from_secs_f64(n as f64 / rate);
        sleep_until(due).await;
        let asked = ask(n);
        tasks.spawn(async move { anyhow::Ok(ms(asked.await? - due)) });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.push(done??);
    }
    Ok(times)
}
