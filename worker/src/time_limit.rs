//! The time limit of work on the database, which a connection that no longer answers would delay without end.

use std::{future::Future, time::Duration};

use portico_domain::platform::{
    app::App,
    error::{Error, Result},
};

/// How long one statement may take. A connection that no longer answers is then given up: the driver would wait for it
/// without end.
pub(crate) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the result of `work` on the database.
///
/// # Errors
/// The error of `work`, or `unavailable` if it takes longer than `limit`. Its connection is then not used again.
pub(crate) async fn within<T>(app: &App, limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    let no_answer = || Error::Unavailable(format!("no answer from the database within {} s", limit.as_secs()));
    app.db().with_timeout(limit, work).await.unwrap_or_else(|| Err(no_answer()))
}
