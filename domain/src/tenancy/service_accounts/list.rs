//! Listing the service accounts of a tenant.

use portico_entity::service_account::{Column, Model};
use sea_orm::Order;

use super::scope;
use crate::platform::{
    actor::{Authorized, access::StaffRead},
    app::App,
    error::Result,
    page::{Page, PageRequest},
};

/// Returns a page of the service accounts of the caller's tenant, oldest first.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub async fn list(app: &App, caller: &Authorized<StaffRead>, page: &PageRequest) -> Result<Page<Model>> {
    let rows = page.select(scope::of(caller.tenant.id), Column::Id, Order::Asc).all(app.db()).await?;
    Ok(page.page(rows, |account| account.id.0))
}
