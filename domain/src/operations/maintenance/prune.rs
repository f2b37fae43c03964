//! Deleting ended sessions and expired tokens on command.

use chrono::TimeDelta;
use portico_entity::{client, code_flow, link_token, session, staff_user};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter,
    sea_query::{IntoCondition, Query},
};

use super::{SESSION_RETENTION, delete};
use crate::{
    platform::{
        app::App,
        clock::Time,
        error::{Error, Result},
    },
    tenancy::tenants,
};

/// How many minutes a session is kept after its end, if the command does not say it.
pub const DEFAULT_SESSION_RETENTION_MINUTES: u32 = SESSION_RETENTION.num_minutes() as u32;

/// Whether rows are deleted or only counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PruneMode {
    /// Delete the rows.
    Delete,
    /// Count the rows that [`Delete`](Self::Delete) would delete at this moment.
    Count,
}

impl From<bool> for PruneMode {
    /// Returns the mode of the argument `--dry-run`.
    fn from(is_dry_run: bool) -> Self {
        if is_dry_run { Self::Count } else { Self::Delete }
    }
}

/// Which sessions [`prune_sessions`] deletes.
#[derive(Clone, Debug)]
pub struct SessionPruning {
    /// Only sessions of the staff users and at the clients of the tenant with this slug. `None` selects all.
    pub tenant: Option<String>,
    /// Only sessions that ended at least this many minutes ago.
    pub minutes: u32,
}

/// The numbers of rows that [`prune_tokens`] deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrunedTokens {
    /// The links.
    pub links: u64,
    /// The flows of sign-in codes.
    pub flows: u64,
}

/// Deletes, or counts, sessions that were ended, have expired or were idle for too long. Returns their number.
///
/// # Errors
/// - `not_found`: no tenant has the slug.
/// - `unavailable` or `internal`: a database query failed. Some rows may be deleted then.
pub async fn prune_sessions(app: &App, pruning: &SessionPruning, mode: PruneMode) -> Result<u64> {
    let before = app.now() - TimeDelta::minutes(pruning.minutes.into());
    let mut which = Condition::all().add(ended_before(before));
    if let Some(slug) = &pruning.tenant {
        let tenant = tenants::find(app, slug).await?.ok_or(Error::NOT_FOUND)?;
        let clients = Query::select()
            .column(client::Column::Id)
            .from(client::Entity)
            .and_where(client::Column::TenantId.eq(tenant.id))
            .to_owned();
        let staff = Query::select()
            .column(staff_user::Column::Id)
            .from(staff_user::Entity)
            .and_where(staff_user::Column::TenantId.eq(tenant.id))
            .to_owned();
        let of_tenant = Condition::any()
            .add(session::Column::ClientId.in_subquery(clients))
            .add(session::Column::StaffUserId.in_subquery(staff));
        which = which.add(of_tenant);
    }
    prune::<session::Entity>(app, session::Column::Id, which, mode).await
}

/// Deletes, or counts, link tokens and flows of sign-in codes that have expired.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed. Some rows may be deleted then.
pub async fn prune_tokens(app: &App, mode: PruneMode) -> Result<PrunedTokens> {
    let now = app.now();
    let links = link_token::Column::ExpiresAt.lte(now);
    let flows = code_flow::Column::ExpiresAt.lte(now);
    Ok(PrunedTokens {
        links: prune::<link_token::Entity>(app, link_token::Column::Id, links, mode).await?,
        flows: prune::<code_flow::Entity>(app, code_flow::Column::Id, flows, mode).await?,
    })
}

/// Returns the condition that selects the sessions that ended at `before` or earlier.
fn ended_before(before: Time) -> Condition {
    use session::Column;
    Condition::any()
        .add(Column::RevokedAt.lte(before))
        .add(Column::ExpiresAt.lte(before))
        .add(Column::IdleUntil.lte(before))
}

/// Deletes or counts the rows that match `which`. `key` is the primary key.
async fn prune<E>(app: &App, key: E::Column, which: impl IntoCondition, mode: PruneMode) -> Result<u64>
where
    E: EntityTrait,
    E::Model: Send + Sync,
{
    let which = which.into_condition();
    match mode {
        PruneMode::Delete => Ok(delete::<E>(app, key, which).await?),
        PruneMode::Count => Ok(E::find().filter(which).count(app.db()).await?),
    }
}
