//! The mail with the link that sets up an account.

use portico_entity::{
    email,
    invitation::{self, Column, Status},
    portal_user,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    app::App,
    invitations::invitation_email::{InvitationEmail, compose_link},
    mail::{self, ComposeError, Composed},
};

mail::templates!(
    InvitationEmail,
    "activation/activation_email/subject.txt",
    "activation/activation_email/body.txt",
    "activation/activation_email/body.html"
);

/// Somebody asked for their link again by their address; here it turns out whether they were invited at all.
pub(crate) async fn compose(app: &App, row: &email::Model) -> Result<Composed, ComposeError> {
    let user = portal_user::Entity::find()
        .filter(portal_user::Column::Email.eq(&row.recipient))
        .filter(portal_user::Column::DisabledAt.is_null())
        .one(app.db())
        .await?;
    match user {
        Some(user) => {
            mail::set_recipient_user(app, row, user.id).await?;
            compose_for(app, row, user).await
        }
        None => Ok(Composed::Suppressed("nobody has this address")),
    }
}

/// The link of the person's newest invitation that is not settled.
pub(crate) async fn compose_for(
    app: &App,
    row: &email::Model,
    user: portal_user::Model,
) -> Result<Composed, ComposeError> {
    let invitation = invitation::Entity::find()
        .filter(Column::PortalUserId.eq(user.id))
        .filter(Column::Status.is_in([Status::Pending, Status::Expired]))
        .order_by_desc(Column::LastSentAt)
        .order_by_desc(Column::Id)
        .one(app.db())
        .await?;
    match invitation {
        Some(invitation) => compose_link(app, row, invitation, user).await,
        None => Ok(Composed::Suppressed("no invitation is open")),
    }
}
