//! The mail with a reset link, or what somebody gets who asked for one and has no password yet.

use portico_entity::{email, link_token::Purpose, portal_user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    activation::activation_email,
    app::App,
    link_tokens,
    mail::{self, Brand, ComposeError, Composed},
};

pub(crate) struct ResetEmail {
    brand: Brand,
    name: String,
    link: String,
    expires: String,
}

mail::templates!(
    ResetEmail,
    "passwords/reset_email/subject.txt",
    "passwords/reset_email/body.txt",
    "passwords/reset_email/body.html"
);

/// Here, and not in the request, it turns out who the address belongs to.
pub(crate) async fn compose(app: &App, row: &email::Model) -> Result<Composed, ComposeError> {
    let Some(user) = portal_user::Entity::find()
        .filter(portal_user::Column::Email.eq(&row.recipient))
        .filter(portal_user::Column::DisabledAt.is_null())
        .one(app.db())
        .await?
    else {
        return Ok(Composed::Suppressed("nobody has this address"));
    };
    mail::set_recipient_user(app, row, user.id).await?;
    if user.password_phc.is_none() {
        return activation_email::compose_for(app, row, user).await;
    }
    let Some(secret) = link_tokens::issue(app, row, Purpose::Reset, &user, None).await? else {
        return Ok(Composed::Suppressed("its link has died"));
    };
    let context = ResetEmail {
        brand: Brand::of_person(app, user.id, user.locale.as_deref()).await?,
        link: app.public_url(&format!("/portal/reset-password#token={}", secret.reveal())),
        name: mail::defuse_links(&user.name),
        expires: mail::format_time(row.created_at + app.settings().link_tokens.reset_ttl),
    };
    Ok(mail::message(row, render(&context)?)?)
}
