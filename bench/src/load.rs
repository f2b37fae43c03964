//! Load generators: closed loop and open loop.

use std::{future::Future, sync::Arc, time::Duration};

use anyhow::Result;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{http::Client, stats::ms};

/// The result of a closed loop.
#[derive(Default)]
pub(crate) struct Load {
    /// The number of responses with the expected status.
    pub(crate) good: usize,
    /// The number of all other responses.
    pub(crate) bad: usize,
    /// How long the load was measured, in seconds.
    pub(crate) seconds: f64,
    /// The time of each good response, in milliseconds.
    pub(crate) times: Vec<f64>,
}

impl Load {
    /// Returns the number of good responses per second.
    pub(crate) fn rate(&self) -> f64 {
        self.good as f64 / self.seconds
    }
}

/// Runs a closed loop for `window`: each client sends its request again as soon as it has the response. Responses with
/// a 2xx status are good.
pub(crate) async fn closed(clients: Vec<(Client, Vec<u8>)>, window: Duration) -> Result<Load> {
    closed_with(clients, window, |request, _| request.clone()).await
}

/// Runs a closed loop as [`closed`] does, in which only responses with `status` are good.
pub(crate) async fn closed_for(status: u16, clients: Vec<(Client, Vec<u8>)>, window: Duration) -> Result<Load> {
    run(clients, window, |request, _| request.clone(), move |actual| actual == status).await
}

/// Runs a closed loop as [`closed`] does, in which every request is different. `make` returns the `n`th request of a
/// client from the state of that client.
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
    for (mut client, state) in clients {
        let make = make.clone();
        tasks.spawn(async move {
            let mut load = Load::default();
            for n in 0.. {
                let request = make(&state, n);
                let request_started = Instant::now();
                let response = client.send(&request).await?;
                // A response that arrives after the window is not counted, just as no request is sent before the
                // window.
                if started.elapsed() > window {
                    break;
                }
                if is_good(response.status) {
                    load.good += 1;
                    load.times.push(ms(request_started.elapsed()));
                } else {
                    load.bad += 1;
                }
            }
            anyhow::Ok(load)
        });
    }
    let mut total = Load { seconds: window.as_secs_f64(), ..Load::default() };
    while let Some(load) = tasks.join_next().await {
        let load = load??;
        total.good += load.good;
        total.bad += load.bad;
        total.times.extend(load.times);
    }
    Ok(total)
}

/// Runs an open loop for `window`: starts `rate` requests per second, whether or not earlier ones have finished.
///
/// `send` sends the `n`th request and returns when it was finished. Returns the time of each request in milliseconds.
/// The time starts when the request was due, not when it was sent, so that a stall counts for every request that it
/// delays.
pub(crate) async fn open<F: Future<Output = Result<Instant>> + Send + 'static>(
    rate: f64,
    window: Duration,
    mut send: impl FnMut(usize) -> F,
) -> Result<Vec<f64>> {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for n in 0..(rate * window.as_secs_f64()) as usize {
        let due = started + Duration::from_secs_f64(n as f64 / rate);
        sleep_until(due).await;
        let request = send(n);
        tasks.spawn(async move { anyhow::Ok(ms(request.await? - due)) });
    }
    let mut times = Vec::new();
    while let Some(time) = tasks.join_next().await {
        times.push(time??);
    }
    Ok(times)
}
