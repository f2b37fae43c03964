//! Changing the name and the language of a portal user.

use portico_entity::portal_user::{self, Column};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use crate::platform::{
    actor::PortalUser,
    app::App,
    audit,
    error::{Error, Result},
    locale::Locale,
    name::Name,
};

/// The input of [`change`]. A field that is `None` stays unchanged.
#[derive(Debug, Default)]
pub struct ProfileChange {
    /// The new name of the person. The name that a tenant has entered for them stays.
    pub name: Option<Name>,
    /// The language of the person's mail. `Some(None)` selects the language of the tenant.
    pub locale: Option<Option<Locale>>,
}

/// Changes the profile of the caller and returns the new `portal_users` row.
///
/// If every field of `change` is `None`, nothing is written. Of two concurrent changes, each field keeps the value of
/// the change that was written last.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub async fn change(app: &App, caller: &PortalUser, change: ProfileChange) -> Result<portal_user::Model> {
    let mut fields = Vec::new();
    let mut update = portal_user::Entity::update_many().filter(Column::Id.eq(caller.user.id));
    if let Some(name) = &change.name {
        update = update.col_expr(Column::Name, Expr::value(name.as_str()));
        fields.push("name");
    }
    if let Some(locale) = &change.locale {
        let locale = locale.as_ref().map(|locale| locale.as_str().to_owned());
        update = update.col_expr(Column::Locale, Expr::value(locale));
        fields.push("locale");
    }
    if fields.is_empty() {
        return Ok(caller.user.clone());
    }
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let missing = || Error::Internal(format!("the portal_users row {} is missing", caller.user.id));
    let user = update.exec_with_returning(tx.db()).await?.into_iter().next().ok_or_else(missing)?;
    let event =
        audit::Event::new("profile.changed").target("portal_user", user.id.0).details(json!({ "fields": fields }));
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await?;
    Ok(user)
}
