//! Lists and shows tenants on the command line.

use portico_entity::{
    client, membership, staff_user,
    tenant::{self, Column, Entity},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::platform::{
    app::App,
    error::{Error, Result},
};

/// A tenant and how much belongs to it.
#[derive(Clone, Debug)]
pub struct TenantOverview {
    /// The tenant.
    pub tenant: tenant::Model,
    /// The number of clients in each status that occurs.
    pub clients: Vec<(client::Status, u64)>,
    /// The number of staff users who are not disabled.
    pub staff_users: u64,
    /// The number of memberships in each status that occurs. A person at several clients has several.
    pub memberships: Vec<(membership::Status, u64)>,
}

/// Returns every tenant, in the order of the slugs.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub async fn list(app: &App) -> Result<Vec<tenant::Model>> {
    Ok(Entity::find().order_by_asc(Column::Slug).all(app.db()).await?)
}

/// Returns the tenant with this slug and how much belongs to it.
///
/// # Errors
/// - `not_found` when there is no such tenant.
/// - `unavailable` or `internal` when the database fails.
pub async fn show(app: &App, slug: &str) -> Result<TenantOverview> {
    let tenant = super::find(app, slug).await?.ok_or(Error::NOT_FOUND)?;
    let clients: Vec<(client::Status, i64)> = client::Entity::find()
        .select_only()
        .column(client::Column::Status)
        .column_as(client::Column::Id.count(), "count")
        .filter(client::Column::TenantId.eq(tenant.id))
        .group_by(client::Column::Status)
        .order_by_asc(client::Column::Status)
        .into_tuple()
        .all(app.db())
        .await?;
    let memberships: Vec<(membership::Status, i64)> = membership::Entity::find()
        .inner_join(client::Entity)
        .select_only()
        .column(membership::Column::Status)
        .column_as(membership::Column::Id.count(), "count")
        .filter(client::Column::TenantId.eq(tenant.id))
        .group_by(membership::Column::Status)
        .order_by_asc(membership::Column::Status)
        .into_tuple()
        .all(app.db())
        .await?;
    let staff_users = staff_user::Entity::find()
        .filter(staff_user::Column::TenantId.eq(tenant.id))
        .filter(staff_user::Column::DisabledAt.is_null())
        .count(app.db())
        .await?;
    Ok(TenantOverview { tenant, clients: counts(clients), staff_users, memberships: counts(memberships) })
}

/// Returns the rows with their counts as unsigned numbers.
fn counts<T>(rows: Vec<(T, i64)>) -> Vec<(T, u64)> {
    rows.into_iter().map(|(status, count)| (status, count.unsigned_abs())).collect()
}
