//! Listing the staff users and service accounts of a tenant.

use portico_entity::{
    TenantId, service_account,
    staff_user::{self, Column},
};
use sea_orm::{ColumnTrait, EntityTrait, Order, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::scope;
use crate::{
    platform::{
        actor::{Authorized, access::StaffRead},
        app::App,
        error::{Error, Result},
        page::{Page, PageRequest},
    },
    tenancy::tenants,
};

/// Someone or something that acts for a tenant.
#[derive(Clone, Debug)]
pub enum StaffMember {
    /// A staff user.
    Person(staff_user::Model),
    /// A service account.
    Service(service_account::Model),
}

impl StaffMember {
    /// Returns the id of the row.
    fn id(&self) -> Uuid {
        match self {
            Self::Person(user) => user.id.0,
            Self::Service(account) => account.id.0,
        }
    }
}

/// Returns a page of the staff users and service accounts of the caller's tenant, oldest first. Removed ones are not in
/// it.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub async fn list(app: &App, caller: &Authorized<StaffRead>, page: &PageRequest) -> Result<Page<StaffMember>> {
    let users = page.select(scope::of(caller.tenant.id), Column::Id, Order::Asc).all(app.db()).await?;
    let accounts = service_account::Entity::find()
        .filter(service_account::Column::TenantId.eq(caller.tenant.id))
        .filter(service_account::Column::RemovedAt.is_null());
    let accounts = page.select(accounts, service_account::Column::Id, Order::Asc).all(app.db()).await?;
    // Both queries return as many rows as the page can hold and one more, so the page is among them.
    let users = users.into_iter().map(StaffMember::Person);
    let mut members: Vec<_> = users.chain(accounts.into_iter().map(StaffMember::Service)).collect();
    members.sort_by_key(StaffMember::id);
    Ok(page.page(members, StaffMember::id))
}

/// Returns all staff users of the tenant with the slug `tenant`, oldest first, for the command line.
///
/// # Errors
/// - `not_found`: there is no such tenant.
/// - `unavailable` or `internal`: a database query failed.
pub async fn list_of_tenant(app: &App, tenant: &str) -> Result<Vec<staff_user::Model>> {
    let tenant: TenantId = tenants::find(app, tenant).await?.ok_or(Error::NOT_FOUND)?.id;
    Ok(scope::of(tenant).order_by_asc(Column::Id).all(app.db()).await?)
}
