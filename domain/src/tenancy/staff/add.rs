//! Adds a staff user, from the command line or by an invitation.

use portico_entity::{
    StaffUserId, TenantId,
    staff_user::{self, Role},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::json;

use super::invitation_email;
use crate::{
    platform::{
        actor::Actor,
        app::App,
        audit,
        email_address::EmailAddress,
        error::{Error, Result},
        name::Name,
        tx::Tx,
    },
    tenancy::tenants,
};

/// A new staff user.
pub struct NewStaff {
    /// The email address. It cannot be changed later.
    pub email: EmailAddress,
    /// The display name. `None` uses the local part of the email address.
    pub name: Option<Name>,
    /// The role, which decides the permissions.
    pub role: Role,
}

/// Adds a staff user to the tenant with the slug `tenant`, records an audit event, and mails the new staff user where
/// to sign in. Returns the new row.
///
/// # Errors
/// - `not_found` when there is no such tenant.
/// - `conflict` when a staff user of any tenant already has the email address.
/// - `unavailable` or `internal` when the database fails.
pub async fn add(app: &App, tenant: &str, new: NewStaff) -> Result<staff_user::Model> {
    let tenant = tenants::find(app, tenant).await?.ok_or(Error::NOT_FOUND)?;
    let mut tx = app.begin().await?;
    let user = insert(&mut tx, tenant.id, &new, None, Actor::SYSTEM).await?;
    invitation_email::enqueue(&mut tx, &user).await?;
    tx.commit().await?;
    Ok(user)
}

/// Inserts the row of a staff user that `invited_by` invites, and records an audit event. Sends no mail.
///
/// # Errors
/// - `conflict` when a staff user of any tenant already has the email address.
/// - `unavailable` or `internal` when the database fails.
pub(crate) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    new: &NewStaff,
    invited_by: Option<StaffUserId>,
    actor: Actor,
) -> Result<staff_user::Model> {
    let app = tx.app().clone();
    let row = staff_user::ActiveModel {
        id: Set(StaffUserId(app.new_id())),
        tenant_id: Set(tenant),
        name: Set(new.name.as_ref().map_or(new.email.local_part(), Name::as_str).into()),
        email: Set(new.email.to_string()),
        role: Set(new.role),
        credential_version: Set(0),
        mfa_enabled_at: Set(None),
        factors_version: Set(0),
        webauthn_handle: Set(None),
        disabled_at: Set(None),
        created_at: Set(app.now()),
        locale: Set(None),
        last_sign_in_at: Set(None),
        invited_by: Set(invited_by),
        removed_at: Set(None),
    };
    let in_use = |error| Error::unique(error, "A staff user has this address already.");
    let user = row.insert(tx.db()).await.map_err(in_use)?;
    let event = audit::Event::new("staff.added")
        .target("staff_user", user.id.0)
        .tenant(tenant)
        .details(json!({ "role": new.role }));
    audit::record(tx, actor, event).await?;
    Ok(user)
}
