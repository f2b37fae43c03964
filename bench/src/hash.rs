//! The time of one hash: the limit of sign-ins. The same crate as Portico's, built with the same profile, with the system's
//! allocator: what a program reaches that hashes and does nothing about memory.

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

/// Milliseconds of one hash with N = 2^`log_n`, r = 8, p = 1, on one core of a machine that does nothing else: the median of
/// what fits into about two seconds.
pub(crate) fn alone(log_n: u8) -> Result<f64> {
    Ok(median(&hash_for(log_n, Duration::from_secs(2))?))
}

/// Milliseconds of one hash while every core makes one.
pub(crate) fn on_all_cores(log_n: u8) -> Result<f64> {
    let threads: Vec<_> =
        (0..cores()).map(|_| thread::spawn(move || hash_for(log_n, Duration::from_secs(2)))).collect();
    let mut times = Vec::new();
    for thread in threads {
        times.extend(thread.join().map_err(|_| anyhow!("hashing panicked"))??);
    }
    Ok(median(&times))
}

fn hash_for(log_n: u8, long: Duration) -> Result<Vec<f64>> {
    let params = Params::new(log_n, 8, 1)?;
    let (started, mut times, mut output) = (Instant::now(), Vec::new(), [0; 32]);
    while started.elapsed() < long || times.len() < 5 {
        let began = Instant::now();
        scrypt(b"quartz-lantern-41", &[7; 16], &params, &mut output)?;
        std::hint::black_box(&output);
        times.push(ms(began.elapsed()));
    }
    Ok(times)
}
