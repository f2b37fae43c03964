//! `/health`: whether this process lives, and whether it can serve.

use crate::{error::ApiResult, tags::Tag};
use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};
use portico_domain::{app::App, health};

pub(crate) struct Health;

/// Whether the process can serve.
#[derive(Object)]
struct HealthReport {
    /// `ok`, or `degraded` when mail will come late.
    status: HealthStatus,
}

#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum HealthStatus {
    Ok,
    Degraded,
}

#[OpenApi(prefix_path = "/health", tag = "Tag::Operations")]
impl Health {
    /// Does the process live?
    #[oai(path = "/live", method = "get", operation_id = "check_liveness")]
    async fn live(&self) -> ApiResult<Json<HealthReport>, 0> {
        Ok(Json(HealthReport { status: HealthStatus::Ok }))
    }

    /// Can the process serve?
    ///
    /// Only the database makes it fail, and being told to stop. `degraded`: requests succeed, and mail comes later.
    #[oai(path = "/ready", method = "get", operation_id = "check_readiness")]
    async fn ready(&self, Data(app): Data<&App>) -> ApiResult<Json<HealthReport>, 0> {
        let health = health::require_ready(app).await?;
        Ok(Json(HealthReport { status: if health.is_whole() { HealthStatus::Ok } else { HealthStatus::Degraded } }))
    }
}
