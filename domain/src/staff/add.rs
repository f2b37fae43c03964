//! Adding staff from the command line.

use portico_entity::{
    StaffUserId,
    staff_user::{self, Role},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::json;

use crate::{
    actor::Actor,
    app::App,
    audit,
    email_address::EmailAddress,
    error::{Error, Result},
    name::Name,
    tenants,
};

/// Somebody who is to administer a tenant.
pub struct NewStaff {
    /// Their address; it cannot be changed later.
    pub email: EmailAddress,
    /// What they are called; else the address's local part.
    pub name: Option<Name>,
    /// What they may do.
    pub role: Role,
}

/// Adds a staff user to the tenant of that slug.
///
/// # Errors
/// `not_found` when there is no such tenant; `conflict` when the address is taken anywhere in the installation.
pub async fn add(app: &App, tenant: &str, new: NewStaff) -> Result<staff_user::Model> {
    let tenant = tenants::find(app, tenant).await?.ok_or(Error::NOT_FOUND)?;
    let mut tx = app.begin().await?;
    let row = staff_user::ActiveModel {
        id: Set(StaffUserId(app.new_id())),
        tenant_id: Set(tenant.id),
        name: Set(new.name.as_ref().map_or(new.email.local_part(), Name::as_str).into()),
        email: Set(new.email.to_string()),
        role: Set(new.role),
        credential_version: Set(0),
        disabled_at: Set(None),
        created_at: Set(app.now()),
    };
    let user = row.insert(tx.db()).await?;
    let event = audit::Event::new("staff.added")
        .target("staff_user", user.id.0)
        .tenant(tenant.id)
        .details(json!({ "role": new.role }));
    audit::record(&mut tx, Actor::SYSTEM, event).await?;
    tx.commit().await?;
    Ok(user)
}
