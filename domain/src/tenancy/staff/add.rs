//! Adds a staff user from the command line.

use portico_entity::{
    StaffUserId,
    staff_user::{self, Role},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::json;

use crate::{
    platform::{
        actor::Actor,
        app::App,
        audit,
        email_address::EmailAddress,
        error::{Error, Result},
        name::Name,
    },
    tenancy::tenants,
};

/// The input of [`add`]: a new staff user.
pub struct NewStaff {
    /// The email address. It cannot be changed later.
    pub email: EmailAddress,
    /// The display name. `None` uses the local part of the email address.
    pub name: Option<Name>,
    /// The role, which decides the permissions.
    pub role: Role,
}

/// Adds a staff user to the tenant with the slug `tenant`, and records an audit event. Returns the new row. Sends no
/// mail.
///
/// # Errors
/// - `not_found` when there is no such tenant.
/// - `conflict` when a staff user of any tenant already has the email address.
/// - `unavailable` or `internal` when the database fails.
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
