//! Notices: mails that tell a person what has happened to their account. They differ in their texts alone.

use portico_entity::{
    email::{self, Kind},
    portal_user, staff_user,
};
use sea_orm::EntityTrait;

use super::{Brand, Composed, NewEmail, Rendered, defuse_links, enqueue, format_time, message, send::ComposeError};
use crate::{app::App, email_address::EmailAddress, error::Result, tx::Tx};

/// What the text of a notice may say.
pub(crate) struct Notice {
    pub(crate) brand: Brand,
    pub(crate) name: String,
    /// When it happened.
    pub(crate) at: String,
    /// Where to ask for a new password, if it was somebody else; none for staff, who have no password.
    pub(crate) forgot_url: Option<String>,
}

/// Posts a notice to somebody of staff.
///
/// # Errors
/// When the database fails.
pub(crate) async fn enqueue_staff_notice(tx: &mut Tx, kind: Kind, user: &staff_user::Model) -> Result<()> {
    let to = EmailAddress::stored(&user.email)?;
    enqueue(tx, NewEmail { staff_user: Some(user.id), ..NewEmail::new(kind, &to) }).await?;
    Ok(())
}

/// Posts a notice to `user`. Personal, so it stands in no tenant's mail log.
///
/// # Errors
/// When the database fails.
pub(crate) async fn enqueue_notice(tx: &mut Tx, kind: Kind, user: &portal_user::Model) -> Result<()> {
    let to = EmailAddress::stored(&user.email)?;
    enqueue(tx, NewEmail { portal_user: Some(user.id), ..NewEmail::new(kind, &to) }).await?;
    Ok(())
}

pub(super) async fn compose(
    app: &App,
    row: &email::Model,
    render: fn(&Notice) -> std::result::Result<Rendered, askama::Error>,
) -> std::result::Result<Composed, ComposeError> {
    let Some((brand, name, forgot_url)) = addressee(app, row).await? else {
        return Ok(Composed::Suppressed("the account is gone"));
    };
    let notice = Notice { brand, name: defuse_links(&name), at: format_time(row.created_at), forgot_url };
    Ok(message(row, render(&notice)?)?)
}

async fn addressee(app: &App, row: &email::Model) -> Result<Option<(Brand, String, Option<String>)>> {
    if let Some(id) = row.portal_user_id {
        let Some(user) = portal_user::Entity::find_by_id(id).one(app.db()).await? else { return Ok(None) };
        let brand = Brand::of_person(app, id, user.locale.as_deref()).await?;
        return Ok(Some((brand, user.name, Some(app.public_url("/portal/forgot-password")))));
    }
    let Some(id) = row.staff_user_id else { return Ok(None) };
    let Some(user) = staff_user::Entity::find_by_id(id).one(app.db()).await? else { return Ok(None) };
    Ok(Some((Brand::of_tenant(app, user.tenant_id, None).await?, user.name, None)))
}
