//! Metrics of this process that the Linux kernel provides. On other systems they are zero.

use std::fs::{read_dir, read_to_string};

use super::METRICS;

/// Clock ticks per second in `/proc/self/stat` (`USER_HZ`). Linux always reports 100, independent of the kernel's own
/// timer.
const TICKS_PER_SECOND: f64 = 100.0;

/// Updates the metrics for memory, open files and processor time.
pub(in crate::platform) fn refresh() {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    METRICS.memory.set(resident.map_or(0, |kibibytes: i64| kibibytes * 1_024));
    let open = read_dir("/proc/self/fd").map_or(0, |files| files.count());
    METRICS.open_files.set(i64::try_from(open).unwrap_or(0));
    let limits = read_to_string("/proc/self/limits").unwrap_or_default();
    let max_files = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    METRICS.max_files.set(max_files.and_then(|number| number.parse().ok()).unwrap_or(0));
    METRICS.cpu_seconds.reset();
    METRICS.cpu_seconds.inc_by(processor_ticks().unwrap_or(0.0) / TICKS_PER_SECOND);
}

/// Returns the processor time of this process in clock ticks: `utime` plus `stime`, fields 14 and 15 of
/// `/proc/self/stat` (proc(5)). The fields are counted after the last `)`, because the process name, which comes
/// before it, may contain spaces and parentheses.
fn processor_ticks() -> Option<f64> {
    let stat = read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}
