//! `/api/staff/auth`: sign-in with a mailed code, refresh and sign-out of staff users.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, payload::Json};
use portico_domain::{
    entity::CodeFlowId,
    identity::{sessions, sign_in, step_up},
    platform::{
        actor::{Permission, Realm},
        app::App,
    },
};

use crate::{
    http::{
        auth::{Anonymous, RefreshToken, ReplacedSession, SignOutSessions, Staff, UnenrolledStaffUser},
        body::Body,
        cookies,
        error::{ApiResult, codes, limit, request},
        fields::{Code, Field},
        response::{NoContent, WithCookies},
        tags::Tag,
    },
    identity::{
        codes::{CodeSent, SendCode},
        step_up::StepUp,
        views::{self, SessionInfo, StaffPermission, StaffSession, StaffSignInResult, StaffUserView},
    },
};

/// The operations of the tag `staff sessions`.
pub(crate) struct StaffSessions;

/// A sign-in code and its code flow.
#[derive(Object)]
struct VerifyCode {
    /// The id of the code flow, as returned by `send_code`.
    flow: Field<CodeFlowId>,
    /// The code: a string of six digits.
    code: Field<Code>,
}

/// The signed-in staff user and the session.
#[derive(Object)]
#[oai(rename = "CurrentStaffSession")]
struct StaffSessionView {
    /// The signed-in staff user.
    user: StaffUserView,
    /// The current session.
    session: SessionInfo,
    /// What the role of the staff user allows.
    permissions: Vec<StaffPermission>,
}

#[OpenApi(prefix_path = "/api/staff/auth", tag = "Tag::StaffSessions")]
impl StaffSessions {
    /// Request a sign-in code
    ///
    /// Mails a code of six digits if the address belongs to a staff user. By default the code is valid for ten
    /// minutes. At most three flows of a staff user, or of one of their known devices, have a valid code; a further
    /// flow gets no mail. The response is the same for an unknown address.
    #[oai(path = "/send-code", method = "post", operation_id = "send_code")]
    async fn send_code(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<SendCode>,
    ) -> ApiResult<Json<CodeSent>, { limit::SEND_CODE | limit::SEND_CODE_NETWORK }> {
        Ok(Json(body.send(app, &caller, Realm::Staff).await?))
    }

    /// Sign in with a code
    ///
    /// Opens a staff session, or returns a challenge if a second factor is needed. The staff session that the browser
    /// already has is revoked. After five wrong codes the
    /// code is invalid. The response is `invalid_code` for a wrong, used or expired code and for an unknown flow.
    #[oai(path = "/verify-code", method = "post", operation_id = "verify_code")]
    async fn verify_code(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        current: ReplacedSession<Staff>,
        Body(body): Body<VerifyCode>,
    ) -> ApiResult<
        WithCookies<Json<StaffSignInResult>>,
        { codes::INVALID_CODE | limit::CODE_MISSES | limit::TOKEN_NETWORK },
    > {
        let Field(Code(code)) = body.code;
        let outcome = sign_in::verify_staff_code(app, &caller, body.flow.0, &code, current.0).await?;
        Ok(views::staff_sign_in_response(app, outcome))
    }

    /// Step up
    ///
    /// Makes the current session fresh for ten minutes: its `auth_time` becomes now, and with a second factor `mfa_at`
    /// too. The staff user proves their identity with a code that `send_code` has mailed to their own address (`flow`
    /// and `mail_code`, or `flow` and `code`); if second factors are on, with one of them. A passkey
    /// is a second factor in any case. The session keeps its id. The
    /// response sets new tokens. It is `invalid_code` for a wrong, used or expired code, and for a code flow that is
    /// unknown or of another address.
    #[oai(path = "/step-up", method = "post", operation_id = "step_up_staff")]
    async fn step_up(
        &self,
        Data(app): Data<&App>,
        caller: UnenrolledStaffUser,
        Body(body): Body<StepUp>,
    ) -> ApiResult<
        WithCookies<Json<StaffSession>>,
        {
            codes::INVALID_CREDENTIALS
                | codes::INVALID_CODE
                | codes::MFA_REQUIRED
                | limit::CODE_MISSES
                | limit::MFA_MISSES
                | limit::TOKEN_NETWORK
        },
    > {
        let issued = step_up::step_up(app, caller.0.unchecked(), body.proof()?).await?;
        Ok(views::staff_session_response(app, issued))
    }

    /// Refresh a staff session
    ///
    /// Exchanges the refresh token as `refresh_session` does, and restarts the idle time of the session (12 hours by
    /// default).
    #[oai(path = "/refresh", method = "post", operation_id = "refresh_staff_session")]
    async fn refresh(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        token: RefreshToken<Staff>,
    ) -> ApiResult<WithCookies<Json<StaffSession>>, 0> {
        Ok(views::staff_session_response(app, sessions::refresh_staff(app, &caller, &token.0).await?))
    }

    /// Sign out a staff user
    ///
    /// Revokes every session that an access token or a refresh token in the request belongs to, and deletes the
    /// cookies. The response is 204 even if there is no session.
    #[oai(path = "/sign-out", method = "post", operation_id = "sign_out_staff")]
    async fn sign_out(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        presented: SignOutSessions<Staff>,
    ) -> ApiResult<WithCookies<NoContent>, { request::IGNORES_WRONG_CREDENTIAL }> {
        sessions::sign_out(app, &caller, &presented.0).await?;
        Ok(WithCookies(NoContent, cookies::deletion_cookies(app, Realm::Staff)))
    }

    /// Sign out a staff user everywhere
    ///
    /// Revokes every session of the staff user and deletes the cookies. The response is 204 even if no staff user is
    /// signed in.
    #[oai(path = "/sign-out-everywhere", method = "post", operation_id = "sign_out_staff_everywhere")]
    async fn sign_out_everywhere(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        presented: SignOutSessions<Staff>,
    ) -> ApiResult<WithCookies<NoContent>, { request::IGNORES_WRONG_CREDENTIAL }> {
        sessions::sign_out_everywhere(app, &caller, &presented.0).await?;
        Ok(WithCookies(NoContent, cookies::deletion_cookies(app, Realm::Staff)))
    }

    /// Get the current staff session
    ///
    /// Returns the signed-in staff user, the session, and what the role of the staff user allows.
    #[oai(path = "/session", method = "get", operation_id = "get_staff_session")]
    async fn session(&self, caller: UnenrolledStaffUser) -> ApiResult<Json<StaffSessionView>, 0> {
        let (user, session) = (StaffUserView::new(&caller.user, &caller.tenant), SessionInfo::of_staff_user(&caller)?);
        let permissions = Permission::of(caller.user.role).map(Into::into).collect();
        Ok(Json(StaffSessionView { user, session, permissions }))
    }
}
