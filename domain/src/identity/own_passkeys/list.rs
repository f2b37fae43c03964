//! Listing the passkeys of the caller.

use portico_entity::passkey::{self, Column, Entity};
use sea_orm::{EntityTrait, Order, QueryFilter};

use crate::{
    identity::passkeys,
    platform::{
        actor::SessionUser,
        app::App,
        error::Result,
        page::{Page, PageRequest},
    },
};

/// Returns a page of the passkeys of the caller, newest first, also of those that are not usable.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn list(app: &App, caller: &SessionUser, page: &PageRequest) -> Result<Page<passkey::Model>> {
    let query = Entity::find().filter(passkeys::owned_by(caller.id()));
    let rows = page.select(query, Column::Id, Order::Desc).all(app.db()).await?;
    Ok(page.page(rows, |passkey| passkey.id.0))
}
