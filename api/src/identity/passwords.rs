//! `/api/portal/auth`: password recovery and password changes of portal users.

use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};
use portico_domain::{
    identity::passwords::{self, Judgement, PolicyProblem},
    platform::{
        app::App,
        email_address::EmailAddress,
        secret::{Password, PlainToken},
    },
};

use crate::http::{
    auth::{Anonymous, OptionalSession, PortalUser},
    body::Body,
    error::{ApiResult, codes, limit},
    fields::Field,
    rate_limit::RateLimits,
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

/// A password to judge before it is set.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct CheckPassword {
    /// The token of the activation or reset link with which the password would be set. If it is absent, the password of
    /// the signed-in user would be changed.
    token: Option<Field<PlainToken>>,
    /// The password.
    password: Field<Password>,
}

/// What the password policy says about a password.
#[derive(Object)]
struct PasswordJudgement {
    /// How hard the password is to guess, from 0 (very easy) to 4 (hard). A password below 3 is refused.
    score: u8,
    /// What is wrong with the password; empty if it would be accepted.
    codes: Vec<PasswordProblem>,
}

/// What is wrong with a password. A refused password is answered with the same field codes.
///
/// - `password_too_short`, `password_too_long`: the length is outside of the policy.
/// - `password_weak`: it is easy to guess, or contains a part of the name or address of the person or of the name of
///   the client or tenant.
#[derive(Enum)]
enum PasswordProblem {
    /// It has too few characters.
    #[oai(rename = "password_too_short")]
    TooShort,
    /// It has too many characters.
    #[oai(rename = "password_too_long")]
    TooLong,
    /// It is easy to guess.
    #[oai(rename = "password_weak")]
    Weak,
}

impl From<Judgement> for PasswordJudgement {
    fn from(judgement: Judgement) -> Self {
        let code = |problem: &PolicyProblem| match problem {
            PolicyProblem::TooShort => PasswordProblem::TooShort,
            PolicyProblem::TooLong => PasswordProblem::TooLong,
            PolicyProblem::Weak => PasswordProblem::Weak,
        };
        Self { score: judgement.score, codes: judgement.problems.iter().map(code).collect() }
    }
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

    /// Check a password
    ///
    /// Returns what the password policy says about a password, so that a form can show it before the password is set.
    /// With `token`, the password is judged as by `activate_account` or `reset_password`, and the link stays unused. A
    /// session in the request is then ignored. Without `token`, it is judged as by `change_password`, and the response
    /// is 401 if no portal user is signed in. Nothing is stored.
    #[oai(path = "/check-password", method = "post", operation_id = "check_password")]
    async fn check(
        &self,
        Data(app): Data<&App>,
        Data(rate_limits): Data<&Arc<RateLimits>>,
        session: OptionalSession,
        Body(body): Body<CheckPassword>,
    ) -> ApiResult<Json<PasswordJudgement>, { codes::LINK_TOKEN | limit::CHECK_PASSWORD | limit::TOKEN_NETWORK }> {
        rate_limits.take_judgement(&session.network())?;
        let password = &body.password.0;
        let judgement = match &body.token {
            Some(Field(token)) => passwords::check_for_link(app, &session.anonymous(), token, password).await?,
            None => passwords::check_for_user(app, &session.portal_user(app).await?, password).await?,
        };
        Ok(Json(judgement.into()))
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
        Data(rate_limits): Data<&Arc<RateLimits>>,
        caller: Anonymous,
        Body(body): Body<ResetPassword>,
    ) -> ApiResult<Json<PasswordReset>, { codes::LINK_TOKEN | limit::CHECK_PASSWORD | limit::TOKEN_NETWORK }> {
        let reset = passwords::reset(app, &caller, &body.token.0, &body.password.0).await;
        rate_limits.count_refused_password(&caller.context.network(), reset)?;
        Ok(Json(PasswordReset { status: PasswordResetStatus::PasswordReset }))
    }

    /// Change the password
    ///
    /// Sets a new password for the signed-in user, revokes the user's other sessions and mails a notice. The current
    /// session and its tokens stay valid. A wrong current password counts as a failed sign-in. If second factors are
    /// on, the session must be fresh.
    #[oai(path = "/change-password", method = "post", operation_id = "change_password")]
    async fn change(
        &self,
        Data(app): Data<&App>,
        caller: PortalUser,
        Body(body): Body<ChangePassword>,
    ) -> ApiResult<
        NoContent,
        { codes::INVALID_CREDENTIALS | codes::STEP_UP_REQUIRED | codes::CONFLICT | limit::PASSWORD },
    > {
        passwords::change(app, &caller, &body.current_password.0, &body.new_password.0).await?;
        Ok(NoContent)
    }
}
