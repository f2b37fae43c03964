//! The request to stop: SIGTERM or SIGINT.

use std::future::Future;

use anyhow::{Result, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

/// Installs the handlers of SIGTERM and SIGINT, and returns a token that the first of these signals cancels.
///
/// Call it before anything else: the kernel drops a signal without a handler if the process has the id 1, as in a
/// container.
///
/// # Errors
/// Returns an error if a signal handler cannot be installed.
pub(crate) fn on_signal() -> Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("received SIGTERM or SIGINT; stopping");
        stopped.cancel();
    });
    Ok(stop)
}

/// Runs `start`, the start of a process that serves. Returns `None` if `stop` is cancelled first.
///
/// # Errors
/// The error of `start`.
pub(crate) async fn unless_stopped<T>(
    stop: &CancellationToken,
    start: impl Future<Output = Result<T>>,
) -> Result<Option<T>> {
    stop.run_until_cancelled(start).await.transpose()
}

/// Runs `command`, which does one thing and ends.
///
/// # Errors
/// The error of `command`, or an error that says that it was stopped, so that its work does not count as done.
pub(crate) async fn or_stopped(stop: &CancellationToken, command: impl Future<Output = Result<()>>) -> Result<()> {
    match stop.run_until_cancelled(command).await {
        Some(result) => result,
        None => bail!("stopped by SIGTERM or SIGINT before the command was done"),
    }
}
