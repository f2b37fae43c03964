//! Renders the metrics for a scrape.

use prometheus::{GaugeVec, TextEncoder};
use tracing::warn;

use super::backlog::{self, Backlog};
use crate::platform::{
    app::App,
    error::{Error, Result},
    metrics::{self, METRICS},
    smtp::Stage,
};

/// Returns all metrics in the Prometheus text format 0.0.4.
///
/// The metrics of the backlog come from the database and may be 3 seconds old. If the backlog cannot be read, they are
/// left out, so that an old value is never reported as a current one.
///
/// # Errors
/// `internal` if the metrics cannot be encoded.
pub async fn render_metrics(app: &App) -> Result<String> {
    // The health check sets `portico_dependency_up`.
    let _ = super::check(app).await;
    set_backlog(
        backlog::current(app)
            .await
            .inspect_err(|error| warn!(%error, "cannot read the backlog; its metrics are left out"))
            .ok(),
    );
    let pool = app.db().pool_use();
    METRICS.connections.with_label_values(&["busy"]).set(pool.busy);
    METRICS.connections.with_label_values(&["idle"]).set(pool.idle);
    METRICS.connections_max.set(i64::from(app.settings().database.connections));
    METRICS.build_info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    metrics::refresh_process();
    let families = METRICS.registry.gather();
    TextEncoder::new().encode_to_string(&families).map_err(|error| Error::Internal(error.to_string()))
}

/// Sets the metrics of the backlog. Without a backlog they are removed from the output.
fn set_backlog(backlog: Option<Backlog>) {
    let all = [
        &METRICS.jobs_due,
        &METRICS.jobs_oldest_seconds,
        &METRICS.jobs_dead,
        &METRICS.jobs_in_queue,
        &METRICS.mails_waiting,
        &METRICS.mails_deferred,
        &METRICS.mails_oldest_seconds,
        &METRICS.mail_held,
        &METRICS.workers,
    ];
    all.into_iter().for_each(GaugeVec::reset);
    let Some(backlog) = backlog else { return };
    for lane in &backlog.lanes {
        let name = [lane.lane.name()];
        METRICS.jobs_due.with_label_values(&name).set(lane.due as f64);
        METRICS.jobs_oldest_seconds.with_label_values(&name).set(lane.oldest_due_age.as_secs_f64());
        METRICS.jobs_dead.with_label_values(&name).set(lane.dead as f64);
        if let Some(depth) = lane.in_queue {
            METRICS.jobs_in_queue.with_label_values(&name).set(depth as f64);
        }
    }
    METRICS.mails_waiting.with_label_values::<&str>(&[]).set(backlog.mails as f64);
    METRICS.mails_deferred.with_label_values::<&str>(&[]).set(backlog.deferred_mails as f64);
    METRICS.mails_oldest_seconds.with_label_values::<&str>(&[]).set(backlog.oldest_mail_age.as_secs_f64());
    for stage in Stage::ALL {
        let is_held = backlog.mail_holds.iter().any(|held| held == stage.name());
        METRICS.mail_held.with_label_values(&[stage.name()]).set(f64::from(u8::from(is_held)));
    }
    METRICS.workers.with_label_values::<&str>(&[]).set(backlog.workers as f64);
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[tokio::test]
    async fn every_metric_can_be_created_and_rendered() {
        let app = testing::app().await;
        let text = super::render_metrics(&app).await.unwrap();
        for line in [
            "portico_jobs_due{lane=\"urgent\"} 0",
            "portico_workers 0",
            "portico_dependency_up{dependency=\"queue\"} 1",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
