//! Changing the name and the role of a staff user.

use portico_entity::{
    StaffUserId, TenantId,
    staff_user::{self, Role},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use serde_json::json;

use super::{owners, scope};
use crate::platform::{
    actor::{Actor, Authorized, access::StaffEdit},
    app::App,
    audit,
    error::Result,
    name::Name,
    tx::Tx,
};

/// The input of [`change`]. A field that is `None` stays unchanged.
#[derive(Default)]
pub struct StaffChange {
    /// The new display name.
    pub name: Option<Name>,
    /// The new role. It takes effect at the next request of the staff user and of their tokens.
    pub role: Option<Role>,
}

/// Changes a staff user of the caller's tenant and returns the new row. If nothing changes, nothing is written.
///
/// # Errors
/// - `not_found`: the caller's tenant has no staff user with this id.
/// - `last_owner`: the staff user is the last owner, and the new role is another one.
/// - `forbidden`: another request has just removed or demoted the caller.
/// - `unavailable` or `internal`: a database query failed.
pub async fn change(
    app: &App,
    caller: &Authorized<StaffEdit>,
    id: StaffUserId,
    change: StaffChange,
) -> Result<staff_user::Model> {
    let mut tx = app.begin().await?;
    let user = apply(&mut tx, caller.tenant.id, id, change, caller.into()).await?;
    // A caller who demotes themselves may not edit staff afterwards.
    if caller.staff_user_id() != Some(id) {
        owners::check_still_allowed(&tx, caller).await?;
    }
    tx.commit().await?;
    Ok(user)
}

/// Changes the role of the staff user with this address, from the command line. Returns the new row.
///
/// # Errors
/// - `not_found`: no staff user has the address.
/// - `last_owner`: the staff user is the last owner of the tenant, and the new role is another one.
/// - `unavailable` or `internal`: a database query failed.
pub async fn set_role(app: &App, email: &str, role: Role) -> Result<staff_user::Model> {
    let user = scope::find_by_email(app.db(), email).await?;
    let mut tx = app.begin().await?;
    let change = StaffChange { role: Some(role), ..Default::default() };
    let user = apply(&mut tx, user.tenant_id, user.id, change, Actor::SYSTEM).await?;
    tx.commit().await?;
    Ok(user)
}

/// Changes the row and records an audit event.
async fn apply(
    tx: &mut Tx,
    tenant: TenantId,
    id: StaffUserId,
    change: StaffChange,
    actor: Actor,
) -> Result<staff_user::Model> {
    owners::lock_tenant(tx, tenant).await?;
    let user = scope::find(tx.db(), tenant, id).await?;
    let mut row = user.clone().into_active_model();
    let mut fields = Vec::new();
    if let Some(name) = change.name.filter(|name| name.as_str() != user.name) {
        row.name = Set(name.to_string());
        fields.push("name");
    }
    if let Some(role) = change.role.filter(|role| *role != user.role) {
        owners::check_not_last(tx, &user).await?;
        row.role = Set(role);
        fields.push("role");
    }
    if fields.is_empty() {
        return Ok(user);
    }
    let changed = row.update(tx.db()).await?;
    let mut details = json!({ "fields": fields });
    if changed.role != user.role {
        details["old_role"] = json!(user.role);
        details["role"] = json!(changed.role);
    }
    let event = audit::Event::new("staff.changed").target("staff_user", id.0).tenant(tenant).details(details);
    audit::record(tx, actor, event).await?;
    Ok(changed)
}
