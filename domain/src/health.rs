//! Whether what Portico leans on is there.

use std::time::Duration;

use tokio::time::timeout;

use crate::{
    app::App,
    error::{Error, Result},
    jobs,
};

/// How long a dependency may take to show that it is there.
const PROBE_WITHIN: Duration = Duration::from_secs(2);

/// What is there beside the database.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    /// Whether the queue can be reached; without it mail comes later.
    pub queue: bool,
}

/// Looks at the database and the queue.
///
/// # Errors
/// `unavailable` when the database does not answer: then no request can be served.
pub async fn check(app: &App) -> Result<Health> {
    let pinged = timeout(PROBE_WITHIN, app.db().ping()).await;
    if !pinged.is_ok_and(|pinged| pinged.is_ok()) {
        return Err(Error::Unavailable("the database does not answer".into()));
    }
    let depth = timeout(PROBE_WITHIN, app.wire().depth(jobs::lane_name(jobs::LANES[0]))).await;
    Ok(Health { queue: depth.is_ok_and(|depth| depth.is_ok()) })
}
