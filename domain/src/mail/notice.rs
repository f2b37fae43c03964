//! Notices: mails that tell a person what has happened to their account. They differ in their texts alone.

use portico_entity::{
    email::{self, Kind},
    portal_user,
};
use sea_orm::EntityTrait;

use super::{Brand, Composed, NewEmail, Rendered, expiry, letter, post, send::ComposeError};
use crate::{
    app::App,
    error::{Error, Result},
    tx::Tx,
};

/// What the text of a notice may say.
pub(crate) struct Notice {
    pub(crate) brand: Brand,
    pub(crate) name: String,
    /// When it happened.
    pub(crate) at: String,
    /// Where to ask for a new password, if it was somebody else.
    pub(crate) forgot_url: String,
}

/// Posts a notice to `user`. Personal, so it stands in no tenant's mail log.
///
/// # Errors
/// When the database fails.
pub(crate) async fn post_notice(tx: &mut Tx, kind: Kind, user: &portal_user::Model) -> Result<()> {
    let to = user.email.parse().map_err(|_| Error::Internal("a stored address is not one".into()))?;
    post(tx, NewEmail { portal_user: Some(user.id), ..NewEmail::new(kind, &to) }).await?;
    Ok(())
}

pub(super) async fn compose(
    app: &App,
    row: &email::Model,
    render: fn(&Notice) -> std::result::Result<Rendered, askama::Error>,
) -> std::result::Result<Composed, ComposeError> {
    let user = match row.portal_user_id {
        Some(id) => portal_user::Entity::find_by_id(id).one(app.db()).await?,
        None => None,
    };
    let Some(user) = user else { return Ok(Composed::Suppressed("the account is gone")) };
    let notice = Notice {
        brand: Brand::of_person(app, user.id, user.locale.as_deref()).await?,
        name: user.name,
        at: expiry(row.created_at),
        forgot_url: app.public_url("/portal/forgot-password"),
    };
    Ok(letter(row, render(&notice)?)?)
}
