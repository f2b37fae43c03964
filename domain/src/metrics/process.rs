//! What the kernel says about this process, where it is Linux; elsewhere nothing.

use std::fs::{read_dir, read_to_string};

use super::METRICS;

/// Ticks a second in `/proc/self/stat`: USER_HZ, which Linux shows as 100 whatever the kernel counts in.
const TICKS: f64 = 100.0;

/// Reads memory, files and processor time.
pub(super) fn refresh() {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    METRICS.memory.set(held.map_or(0, |kibibytes: i64| kibibytes * 1_024));
    let open = read_dir("/proc/self/fd").map_or(0, |files| files.count());
    METRICS.open_files.set(i64::try_from(open).unwrap_or(0));
    let limits = read_to_string("/proc/self/limits").unwrap_or_default();
    let most = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    METRICS.max_files.set(most.and_then(|most| most.parse().ok()).unwrap_or(0));
    METRICS.cpu_seconds.reset();
    METRICS.cpu_seconds.inc_by(processor_ticks().unwrap_or(0.0) / TICKS);
}

/// The 14th and 15th field of proc(5)'s `stat`, counted after the name, which may hold anything but ends in `)`.
fn processor_ticks() -> Option<f64> {
    let stat = read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}
