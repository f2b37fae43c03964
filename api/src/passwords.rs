//! `/api/portal/auth`: recovering and changing passwords.

use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};
use portico_domain::{
    app::App,
    email_address::EmailAddress,
    passwords,
    secret::{Password, PlainToken},
};

use crate::{
    auth::{Anonymous, PortalUser},
    body::Body,
    error::{ApiResult, status},
    fields::Field,
    response::{Accepted, NoContent, accepted},
    tags::Tag,
};

pub(crate) struct Passwords;

/// Whose password was forgotten.
#[derive(Object)]
struct ForgotPassword {
    /// The person's address.
    email: Field<EmailAddress>,
}

/// A new password, and the link that allows it.
#[derive(Object)]
struct ResetPassword {
    /// The secret of the mailed link: what follows `#token=`.
    token: Field<PlainToken>,
    /// The new password.
    password: Field<Password>,
}

/// That a password was reset.
#[derive(Object)]
struct PasswordReset {
    /// `password_reset`.
    status: PasswordResetStatus,
}

#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum PasswordResetStatus {
    PasswordReset,
}

/// The present and the new password.
#[derive(Object)]
struct ChangePassword {
    /// The present password.
    current_password: Field<Password>,
    /// The new one.
    new_password: Field<Password>,
}

#[OpenApi(prefix_path = "/api/portal/auth", tag = "Tag::Passwords")]
impl Passwords {
    /// Ask for a reset link
    ///
    /// Answered alike for addresses that nobody has.
    #[oai(path = "/forgot-password", method = "post", operation_id = "forgot_password")]
    async fn forgot(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<ForgotPassword>,
    ) -> ApiResult<Json<Accepted>, { status::UNSUPPORTED_MEDIA_TYPE }> {
        passwords::forgot(app, &caller, &body.email.0).await?;
        Ok(accepted())
    }

    /// Set a new password by a mailed link
    ///
    /// Ends all sessions of the person and does not open one. A password that is refused does not spend the link.
    #[oai(path = "/reset-password", method = "post", operation_id = "reset_password")]
    async fn reset(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<ResetPassword>,
    ) -> ApiResult<Json<PasswordReset>, { status::UNSUPPORTED_MEDIA_TYPE | status::NOT_FOUND | status::GONE }> {
        passwords::reset(app, &caller, &body.token.0, &body.password.0).await?;
        Ok(Json(PasswordReset { status: PasswordResetStatus::PasswordReset }))
    }

    /// Change the password
    ///
    /// Ends the person's other sessions; this one lives on with the tokens it has.
    #[oai(path = "/change-password", method = "post", operation_id = "change_password")]
    async fn change(
        &self,
        Data(app): Data<&App>,
        caller: PortalUser,
        Body(body): Body<ChangePassword>,
    ) -> ApiResult<NoContent, { status::UNSUPPORTED_MEDIA_TYPE | status::UNAUTHORIZED | status::CONFLICT }> {
        passwords::change(app, &caller, &body.current_password.0, &body.new_password.0).await?;
        Ok(NoContent)
    }
}
