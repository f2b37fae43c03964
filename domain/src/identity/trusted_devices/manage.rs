//! Listing and removing the trusted devices of the caller.

use portico_entity::{
    TrustedDeviceId, UserId, portal_user,
    trusted_device::{self, Column, Entity},
};
use sea_orm::{ColumnTrait, EntityTrait, Order, PaginatorTrait, QueryFilter};

use super::{forget, live};
use crate::platform::{
    actor::PortalUser,
    app::App,
    audit,
    error::{Error, Result},
    page::{Page, PageRequest},
};

/// Returns a page of the devices that the caller trusts now, newest first.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn list(app: &App, caller: &PortalUser, page: &PageRequest) -> Result<Page<trusted_device::Model>> {
    let query = Entity::find().filter(live(&caller.user, app.now()));
    let rows = page.select(query, Column::Id, Order::Desc).all(app.db()).await?;
    Ok(page.page(rows, |device| device.id.0))
}

/// Returns how many devices `user` trusts now.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn count(app: &App, user: &portal_user::Model) -> Result<u64> {
    Ok(Entity::find().filter(live(user, app.now())).count(app.db()).await?)
}

/// Removes one trusted device of the caller, and records an audit event. The next sign-in in that browser asks for the
/// second factor.
///
/// # Errors
/// - `not_found` if the caller has no trusted device with this id.
/// - `unavailable` or `internal` if the database fails.
pub async fn remove(app: &App, caller: &PortalUser, id: TrustedDeviceId) -> Result<()> {
    let mut tx = app.begin().await?;
    let own = live(&caller.user, app.now()).add(Column::Id.eq(id));
    if Entity::delete_many().filter(own).exec(tx.db()).await?.rows_affected == 0 {
        return Err(Error::NOT_FOUND);
    }
    let event = audit::Event::new("trusted_device.removed").target("trusted_device", id.0);
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await
}

/// Removes all trusted devices of the caller, and records an audit event.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn remove_all(app: &App, caller: &PortalUser) -> Result<()> {
    let mut tx = app.begin().await?;
    let count = forget(&tx, UserId::Portal(caller.user.id)).await?;
    let event = audit::Event::new("trusted_device.all_removed")
        .target("portal_user", caller.user.id.0)
        .details(serde_json::json!({ "count": count }));
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await
}
