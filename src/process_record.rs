//! Records in the database that this process runs, so that other processes can warn about a missing entry of
//! `PORTICO_SECRET`.

use std::time::Duration;

use portico_domain::platform::{
    app::App,
    error::Result,
    processes::{self, PROCESS_INTERVAL, Process, ProcessRole},
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// How long one record may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Records this process every [`PROCESS_INTERVAL`] until `stop` is cancelled, then removes the record.
pub(crate) async fn keep(app: App, role: ProcessRole, stop: CancellationToken) {
    let process = Process::new(&app, role);
    let mut ticks = interval(PROCESS_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => break,
        }
        within(&app, processes::record_process(&app, &process)).await;
    }
    within(&app, processes::deregister_process(&app, &process)).await;
}

/// Waits for `work` on the database. No request depends on it, so a failure is logged for debugging only: what makes
/// it fail is reported where requests and jobs fail.
async fn within<T>(app: &App, work: impl Future<Output = Result<T>>) {
    match app.db().with_timeout(TIMEOUT, work).await {
        Some(Ok(_)) => {}
        Some(Err(error)) => debug!(%error, "cannot record this process"),
        None => debug!("cannot record this process: no answer from the database"),
    }
}
