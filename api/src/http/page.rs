//! Pages of lists.

/// Returns the page size of a request without `limit`, in items.
pub(crate) const fn default_limit() -> u64 {
    25
}
