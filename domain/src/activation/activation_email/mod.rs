//! The activation mail. It carries the link with which an invited portal user sets the first password.

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

/// Composes the mail of kind `activation`, which an unauthenticated request asked for.
///
/// The request does not look the address up. This function, which the worker runs, does. It returns
/// [`Composed::Suppressed`] if no enabled portal user has the address, and otherwise the result of [`compose_for`].
///
/// # Errors
/// A failed database query, template or message.
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
        None => Ok(Composed::Suppressed("no enabled portal user has this address")),
    }
}

/// Composes the mail with the link of the portal user's most recently sent invitation that is pending or expired.
///
/// Returns [`Composed::Suppressed`] if there is no such invitation, or if its link would no longer be valid on arrival.
///
/// # Errors
/// A failed database query, template or message.
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
        None => Ok(Composed::Suppressed("the portal user has no pending or expired invitation")),
    }
}
