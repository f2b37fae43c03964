//! The running processes and the entries of `PORTICO_SECRET` that each has.
//!
//! When the entries change, every process must have the new entry before any process makes something with it: otherwise
//! the others refuse that as forged. So each process warns when another one lacks its first entry.

use chrono::TimeDelta;
use portico_entity::process::{ActiveModel, Column, Entity};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, Select, sea_query::OnConflict};
use tracing::warn;
use uuid::Uuid;

use crate::platform::{app::App, clock::Time, database::Database, error::Result};

/// How often a process records that it runs.
pub const PROCESS_INTERVAL: std::time::Duration = std::time::Duration::from_secs(15);
/// A process that was last recorded longer ago than this does not count as running.
const PROCESS_TIMEOUT: TimeDelta = TimeDelta::seconds(45);
/// How long the row of a process that stopped without deleting it is kept.
const RETENTION: TimeDelta = TimeDelta::days(1);

/// What a process does. For display only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessRole {
    /// Serves the API.
    Api,
    /// Runs jobs.
    Worker,
    /// Serves the API and runs jobs.
    ApiAndWorker,
}

/// This process, as other processes see it.
#[derive(Clone, Debug)]
pub struct Process {
    id: Uuid,
    role: ProcessRole,
    started_at: Time,
}

impl ProcessRole {
    /// Returns the text that the database stores.
    const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Worker => "worker",
            Self::ApiAndWorker => "api and worker",
        }
    }
}

impl Process {
    /// Returns this process with a new id.
    pub fn new(app: &App, role: ProcessRole) -> Self {
        Self { id: app.new_id(), role, started_at: app.now() }
    }
}

/// Records that `process` runs, and logs a warning if another running process lacks the first entry of
/// `PORTICO_SECRET`. Returns the number of such processes.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn record_process(app: &App, process: &Process) -> Result<usize> {
    let now = app.now();
    let row = ActiveModel {
        id: Set(process.id),
        role: Set(process.role.name().into()),
        key_fingerprints: Set(app.keys().fingerprints().collect::<Vec<_>>().join(",")),
        started_at: Set(process.started_at),
        seen_at: Set(now),
    };
    let update_seen_at = OnConflict::column(Column::Id).update_column(Column::SeenAt).to_owned();
    Entity::insert(row).on_conflict(update_seen_at).exec_without_returning(app.db()).await?;
    let others = running(now).filter(Column::Id.ne(process.id)).all(app.db()).await?;
    let first = app.keys().newest().fingerprint();
    let lacking: Vec<_> =
        others.iter().filter(|other| !other.key_fingerprints.split(',').any(|entry| entry == first)).collect();
    if !lacking.is_empty() {
        let (processes, roles) = (lacking.len(), lacking.iter().map(|other| other.role.as_str()).collect::<Vec<_>>());
        warn!(
            processes,
            ?roles,
            entry = first,
            "other processes lack the first entry of PORTICO_SECRET of this process; they refuse the tokens and links \
             that it makes"
        );
    }
    Ok(lacking.len())
}

/// Returns the role of each process that has recorded within the last 45 seconds before `now` that it runs on this
/// database. A process that was killed counts until then.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn running_roles(db: &Database, now: Time) -> Result<Vec<String>> {
    Ok(running(now).all(db).await?.into_iter().map(|process| process.role).collect())
}

/// Returns a query for the processes that run at `now`.
fn running(now: Time) -> Select<Entity> {
    Entity::find().filter(Column::SeenAt.gt(now - PROCESS_TIMEOUT)).filter(Column::SeenAt.lt(now + PROCESS_TIMEOUT))
}

/// Deletes the row of `process`, which is stopping, and the rows of processes that have not been recorded for a day, or
/// that a wrong clock has recorded.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn deregister_process(app: &App, process: &Process) -> Result<()> {
    let now = app.now();
    let gone = Condition::any()
        .add(Column::Id.eq(process.id))
        .add(Column::SeenAt.lt(now - RETENTION))
        .add(Column::SeenAt.gt(now + RETENTION));
    Entity::delete_many().filter(gone).exec(app.db()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use portico_entity::process::Model;
    use sea_orm::{ActiveModelTrait, IntoActiveModel};

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn a_running_process_without_the_first_entry_is_noticed_and_no_other() {
        let app = testing::app().await;
        let this = Process::new(&app, ProcessRole::Api);
        let first = app.keys().newest().fingerprint().to_owned();
        for (fingerprints, seen, is_lacking) in [
            ("0123456789abcdef".to_owned(), TimeDelta::zero(), true),
            (format!("0123456789abcdef,{first}"), TimeDelta::zero(), false),
            (first.clone(), TimeDelta::zero(), false),
            ("0123456789abcdef".to_owned(), TimeDelta::minutes(-2), false),
            ("0123456789abcdef".to_owned(), TimeDelta::days(400), false),
        ] {
            Entity::delete_many().exec(app.db()).await.unwrap();
            let row = Model {
                id: app.new_id(),
                role: "worker".into(),
                key_fingerprints: fingerprints.clone(),
                started_at: app.now(),
                seen_at: app.now() + seen,
            };
            row.into_active_model().insert(app.db()).await.unwrap();
            assert_eq!(record_process(&app, &this).await.unwrap() == 1, is_lacking, "{fingerprints} {seen}");
        }
        deregister_process(&app, &this).await.unwrap();
        assert_eq!(Entity::find().all(app.db()).await.unwrap().len(), 0);
    }
}
