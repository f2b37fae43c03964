//! The limit of open files, which bounds the number of connections: each connection is one file descriptor.

use tracing::warn;

/// The number of file descriptors that are kept for the database, Redis, SMTP and logs.
const RESERVED_FDS: usize = 100;
/// The smallest number of connections, even if there are too few file descriptors. `accept` then fails and is retried.
const MIN_CONNECTIONS: usize = 16;

/// Returns the number of connections that the process may have: `configured`, or fewer if the limit of open files is
/// too low.
///
/// A lower number is logged as a warning. Without `/proc` (Linux only) the limit is not known and `configured` is
/// returned.
pub(crate) fn max_connections(configured: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let Some(open_files) = open_files(&limits) else { return configured };
    let allowed = configured.min(open_files.saturating_sub(RESERVED_FDS).max(MIN_CONNECTIONS));
    if allowed < configured {
        warn!(
            configured,
            allowed,
            open_files,
            "the limit of open files (ulimit -n) is too low for PORTICO_CONNECTIONS; using fewer connections"
        );
    }
    allowed
}

/// Returns the soft limit of open files from the text of `/proc/self/limits`; `None` if it is missing or unlimited.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_limit_of_open_files_is_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             63704                63704                processes \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(open_files(limits), Some(1024));
        assert_eq!(open_files("Max open files            unlimited            unlimited            files"), None);
        assert_eq!(open_files(""), None);
    }
}
