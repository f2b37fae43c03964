//! Measures password hashing. The time of one hash is the limit of sign-ins.
//!
//! Uses the same scrypt crate as Portico, built with the same profile, but the system's allocator. So it shows the
//! speed of a plain program that hashes and does not tune its memory.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use scrypt::{Params, scrypt};

use crate::{
    machine::cores,
    stats::{median, ms},
};

/// How long each measurement takes, at least.
const WINDOW: Duration = Duration::from_secs(2);

/// Returns the median time of one hash with N = 2^`log_n`, r = 8, p = 1 on one core of an idle machine, in
/// milliseconds.
pub(crate) fn on_one_core(log_n: u8) -> Result<f64> {
    Ok(median(&hash_for(log_n, WINDOW)?))
}

/// Returns the median time of one hash while every core computes hashes, in milliseconds.
pub(crate) fn on_all_cores(log_n: u8) -> Result<f64> {
    let threads: Vec<_> = (0..cores()).map(|_| thread::spawn(move || hash_for(log_n, WINDOW))).collect();
    let mut times = Vec::new();
    for thread in threads {
        times.extend(thread.join().map_err(|_| anyhow!("a hashing thread panicked"))??);
    }
    Ok(median(&times))
}

/// Computes hashes one after the other for `window`, but at least 5. Returns the time of each in milliseconds.
fn hash_for(log_n: u8, window: Duration) -> Result<Vec<f64>> {
    let params = Params::new(log_n, 8, 1)?;
    let (started, mut times, mut output) = (Instant::now(), Vec::new(), [0; 32]);
    while started.elapsed() < window || times.len() < 5 {
        let hash_started = Instant::now();
        scrypt(b"quartz-lantern-41", &[7; 16], &params, &mut output)?;
        std::hint::black_box(&output);
        times.push(ms(hash_started.elapsed()));
    }
    Ok(times)
}
