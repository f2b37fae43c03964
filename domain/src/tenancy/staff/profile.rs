//! The profile of a staff user: what they can change of themselves.

use portico_entity::staff_user;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use serde_json::json;

use crate::platform::{actor::StaffUser, app::App, audit, error::Result, name::Name};

/// The input of [`change_profile`]. A field that is `None` stays unchanged.
#[derive(Default)]
pub struct ProfileChange {
    /// The new display name.
    pub name: Option<Name>,
    /// The new preferred language as a BCP 47 tag. `Some(None)` removes it.
    pub locale: Option<Option<String>>,
}

/// Changes the profile of the caller and returns the new row. If nothing changes, nothing is written.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub async fn change_profile(app: &App, caller: &StaffUser, change: ProfileChange) -> Result<staff_user::Model> {
    let user = &caller.user;
    let mut row = user.clone().into_active_model();
    let mut fields = Vec::new();
    if let Some(name) = change.name.filter(|name| name.as_str() != user.name) {
        row.name = Set(name.to_string());
        fields.push("name");
    }
    if let Some(locale) = change.locale.filter(|locale| *locale != user.locale) {
        row.locale = Set(locale);
        fields.push("locale");
    }
    if fields.is_empty() {
        return Ok(user.clone());
    }
    let mut tx = app.begin().await?;
    let user = row.update(tx.db()).await?;
    let event = audit::Event::new("staff.profile_changed")
        .target("staff_user", user.id.0)
        .tenant(user.tenant_id)
        .details(json!({ "fields": fields }));
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await?;
    Ok(user)
}
