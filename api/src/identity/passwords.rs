//! `/api/portal/auth`: password recovery and password changes of portal users.

use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};
use portico_domain::{
    identity::passwords,
    platform::{
        app::App,
        email_address::EmailAddress,
        secret::{Password, PlainToken},
    },
};

use crate::http::{
    auth::{Anonymous, PortalUser},
    body::Body,
    error::{ApiResult, codes, limit},
    fields::Field,
    response::{Accepted, NoContent, accepted},
    tags::Tag,
};

/// The operations of the tag `passwords`.
pub(crate) struct Passwords;

/// The address to mail a reset link to.
#[derive(Object)]
struct ForgotPassword {
    /// The email address of the portal user.
    email: Field<EmailAddress>,
}

/// A reset link and the new password.
#[derive(Object)]
struct ResetPassword {
    /// The link token: the text after `#token=` in the mailed URL (43 characters of base64url).
    token: Field<PlainToken>,
    /// The new password. By default it must have 8 to 128 characters and be hard to guess; otherwise the response is
    /// 422 with the field code `password_too_short`, `password_too_long` or `password_weak`.
    password: Field<Password>,
}

/// The password was reset.
#[derive(Object)]
struct PasswordReset {
    /// Always `password_reset`.
    status: PasswordResetStatus,
}

/// The status of a password reset.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum PasswordResetStatus {
    /// The password was reset.
    PasswordReset,
}

/// The current password and the new password.
#[derive(Object)]
struct ChangePassword {
    /// The current password.
    current_password: Field<Password>,
    /// The new password. It must meet the same rules as in `reset_password`.
    new_password: Field<Password>,
}

#[OpenApi(prefix_path = "/api/portal/auth", tag = "Tag::Passwords")]
impl Passwords {
    /// Request a reset link
    ///
    /// Mails a reset link if the address belongs to a portal user. A user who has no password yet gets an activation
    /// link instead. The response is the same for an unknown address.
    #[oai(path = "/forgot-password", method = "post", operation_id = "forgot_password")]
    async fn forgot(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<ForgotPassword>,
    ) -> ApiResult<Json<Accepted>, { limit::RECOVERY }> {
        passwords::forgot(app, &caller, &body.email.0).await?;
        Ok(accepted())
    }

    /// Reset a password
    ///
    /// Sets a new password with a reset link and unlocks a locked password. The link cannot be used again, the user's
    /// other reset links and all sessions are revoked, and a notice is mailed. It does not sign in.
    ///
    /// If the password is rejected, the link stays valid.
    #[oai(path = "/reset-password", method = "post", operation_id = "reset_password")]
    async fn reset(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<ResetPassword>,
    ) -> ApiResult<Json<PasswordReset>, { codes::LINK_TOKEN | limit::TOKEN_NETWORK }> {
        passwords::reset(app, &caller, &body.token.0, &body.password.0).await?;
        Ok(Json(PasswordReset { status: PasswordResetStatus::PasswordReset }))
    }

    /// Change the password
    ///
    /// Sets a new password for the signed-in user, revokes the user's other sessions and mails a notice. The current
    /// session and its tokens stay valid. A wrong current password counts as a failed sign-in.
    #[oai(path = "/change-password", method = "post", operation_id = "change_password")]
    async fn change(
        &self,
        Data(app): Data<&App>,
        caller: PortalUser,
        Body(body): Body<ChangePassword>,
    ) -> ApiResult<NoContent, { codes::INVALID_CREDENTIALS | codes::CONFLICT | limit::PASSWORD }> {
        passwords::change(app, &caller, &body.current_password.0, &body.new_password.0).await?;
        Ok(NoContent)
    }
}
