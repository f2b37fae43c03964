//! Creating a service account.

use portico_entity::{ServiceAccountId, service_account, staff_user::Role};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::json;

use crate::{
    platform::{
        actor::{Authorized, access::StaffEdit},
        app::App,
        audit,
        error::Result,
        name::Name,
    },
    tenancy::staff,
};

/// The role of a service account. A service account is never an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceRole {
    /// [`Role::Admin`].
    Admin,
    /// [`Role::Support`].
    Support,
    /// [`Role::Viewer`].
    Viewer,
}

impl From<ServiceRole> for Role {
    fn from(role: ServiceRole) -> Self {
        match role {
            ServiceRole::Admin => Self::Admin,
            ServiceRole::Support => Self::Support,
            ServiceRole::Viewer => Self::Viewer,
        }
    }
}

/// The input of [`create`].
pub struct NewServiceAccount {
    /// The name, which says what the program does.
    pub name: Name,
    /// The role, which bounds the scopes of the tokens.
    pub role: ServiceRole,
}

/// Creates a service account in the caller's tenant and returns its row.
///
/// # Errors
/// - `forbidden`: another request has just removed or demoted the caller.
/// - `unavailable` or `internal`: a database query failed.
pub async fn create(
    app: &App,
    caller: &Authorized<StaffEdit>,
    new: NewServiceAccount,
) -> Result<service_account::Model> {
    let mut tx = app.begin().await?;
    staff::require_editor(&mut tx, caller).await?;
    let row = service_account::ActiveModel {
        id: Set(ServiceAccountId(app.new_id())),
        tenant_id: Set(caller.tenant.id),
        name: Set(new.name.to_string()),
        role: Set(new.role.into()),
        created_by: Set(caller.staff_user_id()),
        created_at: Set(app.now()),
        removed_at: Set(None),
    };
    let account = row.insert(tx.db()).await?;
    let event = audit::Event::new("service_account.created")
        .target("service_account", account.id.0)
        .tenant(caller.tenant.id)
        .details(json!({ "role": account.role }));
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await?;
    Ok(account)
}
