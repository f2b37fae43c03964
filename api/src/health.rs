//! `/health`: whether this process lives, and whether it can serve.

use std::time::Duration;

use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};
use portico_domain::{app::App, error::Error, jobs};
use tokio::time::timeout;

use crate::{error::Answer, tags::Tag};

pub(crate) struct Health;

/// How long a dependency may take to show that it is there.
const PROBE_WITHIN: Duration = Duration::from_secs(2);

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
    async fn live(&self) -> Answer<Json<HealthReport>, 0> {
        Ok(Json(HealthReport { status: HealthStatus::Ok }))
    }

    /// Can the process serve?
    ///
    /// Only the database makes it fail: without the queue requests succeed, and mail comes later.
    #[oai(path = "/ready", method = "get", operation_id = "check_readiness")]
    async fn ready(&self, Data(app): Data<&App>) -> Answer<Json<HealthReport>, 0> {
        let pinged = timeout(PROBE_WITHIN, app.db().ping()).await;
        if !pinged.is_ok_and(|pinged| pinged.is_ok()) {
            return Err(Error::Unavailable("the database does not answer".into()).into());
        }
        let lane = jobs::lane_name(jobs::LANES[0]);
        let queue = timeout(PROBE_WITHIN, app.wire().depth(lane)).await.is_ok_and(|depth| depth.is_ok());
        Ok(Json(HealthReport { status: if queue { HealthStatus::Ok } else { HealthStatus::Degraded } }))
    }
}
