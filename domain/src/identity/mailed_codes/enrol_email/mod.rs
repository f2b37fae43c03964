//! The mail with the code that a user enters before the first second factor is set up during a sign-in.

use portico_entity::{UserId, email};

use super::code_email::{CodeEmail, compose_for};
use crate::{
    identity::users,
    platform::{
        app::App,
        mail::{self, ComposeError, Composed},
    },
};

mail::templates!(
    CodeEmail,
    English: "identity/mailed_codes/enrol_email/en.txt",
    German: "identity/mailed_codes/enrol_email/de.txt",
    French: "identity/mailed_codes/enrol_email/fr.txt",
    Spanish: "identity/mailed_codes/enrol_email/es.txt",
);

/// Composes the mail of the `emails` row. It is suppressed when the account no longer exists or is disabled, when a
/// resend has replaced the mail, or when the user has three live codes.
///
/// # Errors
/// A [`ComposeError::Job`] if the database or a template fails. A [`ComposeError::Mail`] if the recipient is not a
/// valid address.
pub(crate) async fn compose(app: &App, row: &email::Model) -> std::result::Result<Composed, ComposeError> {
    let user = match UserId::from_columns(row.portal_user_id, row.staff_user_id) {
        Some(id) => users::find(app.db(), id).await?,
        None => None,
    };
    match user.filter(|user| user.is_enabled()) {
        Some(user) => compose_for(app, row, &user, render).await,
        None => Ok(Composed::Suppressed("the account no longer exists")),
    }
}
