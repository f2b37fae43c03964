//! Every job, a line each.

use portico_entity::background_job;

use super::{Job, JobError};
use crate::{app::App, error::Result};

macro_rules! jobs {
    ($($job:ty,)*) => {
        /// Runs the job of this row; `None` when this version of Portico does not know its name.
        pub(super) async fn run(app: &App, row: &background_job::Model) -> Option<std::result::Result<(), JobError>> {
            match row.name.as_str() {
                $(<$job as Job>::NAME => Some(match read::<$job>(row) {
                    Ok(job) => job.run(app).await,
                    Err(error) => Err(error),
                }),)*
                _ => None,
            }
        }

        /// The name as a word of the code, so that nothing else can become a metric's label.
        pub(super) fn known_name(name: &str) -> &'static str {
            [$(<$job as Job>::NAME),*].into_iter().find(|known| *known == name).unwrap_or("unknown")
        }

        /// Tells the job of this row that it was given up.
        pub(super) async fn on_dead(app: &App, row: &background_job::Model, why: &str) -> Result<()> {
            match row.name.as_str() {
                $(<$job as Job>::NAME => match read::<$job>(row) {
                    Ok(job) => job.on_dead(app, why).await,
                    Err(_) => Ok(()),
                },)*
                _ => Ok(()),
            }
        }

        /// Tells the job of this row that it is to be tried after all.
        pub(super) async fn on_retry(app: &App, row: &background_job::Model) -> Result<()> {
            match row.name.as_str() {
                $(<$job as Job>::NAME => match read::<$job>(row) {
                    Ok(job) => job.on_retry(app).await,
                    Err(_) => Ok(()),
                },)*
                _ => Ok(()),
            }
        }
    };
}

jobs! {
    crate::mail::SendMail,
    crate::invitations::ExpireInvitations,
    crate::sessions::RotateSigningKeys,
    crate::maintenance::DeleteExpired,
    super::Canary,
}

/// A payload of an older or newer shape may be readable by another version, so it is tried again, not thrown away.
fn read<J: Job>(row: &background_job::Model) -> std::result::Result<J, JobError> {
    serde_json::from_value(row.payload.clone()).map_err(|error| JobError::Retry(format!("unreadable payload: {error}")))
}
