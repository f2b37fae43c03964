//! `/health`: liveness and readiness of this process, for probes and load balancers.

use crate::http::{
    error::{ApiResult, request},
    tags::Tag,
};
use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};
use portico_domain::platform::{app::App, health};

/// The operations that report the health of the process.
pub(crate) struct Health;

/// The health of the process.
#[derive(Object)]
struct HealthReport {
    /// The status.
    status: HealthStatus,
}

/// The status of the process.
///
/// - `ok`: requests succeed and mail is sent in time.
/// - `degraded`: requests succeed, but mail is delayed.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum HealthStatus {
    /// Requests succeed and mail is sent in time.
    Ok,
    /// Requests succeed, but mail is delayed.
    Degraded,
}

#[OpenApi(prefix_path = "/health", tag = "Tag::Operations")]
impl Health {
    /// Check liveness
    ///
    /// Returns `ok` while the process runs. It checks no dependency.
    #[oai(path = "/live", method = "get", operation_id = "check_liveness")]
    async fn live(&self) -> ApiResult<Json<HealthReport>, { request::IGNORES_QUERY }> {
        Ok(Json(HealthReport { status: HealthStatus::Ok }))
    }

    /// Check readiness
    ///
    /// Returns 200 if the process can serve requests, and 503 if the database does not answer or the process is
    /// stopping. The status is `degraded`, not 503, if the queue cannot be reached, no worker runs, the
    /// mail server refuses Portico itself, or a mail has waited for five minutes.
    #[oai(path = "/ready", method = "get", operation_id = "check_readiness")]
    async fn ready(&self, Data(app): Data<&App>) -> ApiResult<Json<HealthReport>, { request::IGNORES_QUERY }> {
        let health = health::require_ready(app).await?;
        Ok(Json(HealthReport {
            status: if health.is_fully_working() { HealthStatus::Ok } else { HealthStatus::Degraded },
        }))
    }
}
