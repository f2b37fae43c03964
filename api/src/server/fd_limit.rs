//! How many files the process may have open, since every connection is one.

use tracing::warn;

/// Files that are not for connections: the database, Redis, mail, logs.
const RESERVED_FDS: usize = 100;
/// As many connections are tried however few files there are; then it is the system that says no.
const MIN_CONNECTIONS: usize = 16;

/// `wanted`, or as many connections as the process may have files for.
pub(crate) fn max_connections(wanted: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let Some(files) = open_files(&limits) else { return wanted };
    let most = wanted.min(files.saturating_sub(RESERVED_FDS).max(MIN_CONNECTIONS));
    if most < wanted {
        warn!(wanted, most, files, "PORTICO_CONNECTIONS is more than the limit of open files allows (ulimit -n)");
    }
    most
}

/// The soft limit that Linux tells; none where there is no such file, or no limit.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_counts() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             63704                63704                processes \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(open_files(limits), Some(1024));
        assert_eq!(open_files("Max open files            unlimited            unlimited            files"), None);
        assert_eq!(open_files(""), None);
    }
}
