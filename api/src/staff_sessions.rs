//! `/api/staff/auth`: staff sign in by a mailed code.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, payload::Json};
use portico_domain::{
    app::App,
    email_address::EmailAddress,
    entity::CodeFlowId,
    sessions::{self, Realm},
    staff,
};
use uuid::Uuid;

use crate::{
    auth::{Anonymous, CurrentSession, OptionalSession, RefreshToken, StaffUser},
    body::Body,
    cookies,
    error::{ApiResult, status},
    fields::{Code, Field},
    response::{AcceptedStatus, NoContent, WithCookies},
    tags::Tag,
    views::{self, SessionInfo, StaffSession, StaffUserView},
};

pub(crate) struct StaffSessions;

/// Who wants a code.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct SendCode {
    /// The staff user's address.
    email: Field<EmailAddress>,
    /// A live flow to send another code for; its old code dies.
    flow: Option<Field<CodeFlowId>>,
}

/// That a code was asked for.
#[derive(Object)]
struct CodeSent {
    /// `accepted`.
    status: AcceptedStatus,
    /// Show it again together with the code. It binds the code to this browser.
    flow: Uuid,
}

/// A code and the flow that it was mailed for.
#[derive(Object)]
struct VerifyCode {
    /// The flow that `send_code` answered with.
    flow: Field<CodeFlowId>,
    /// The six digits, as text.
    code: Field<Code>,
}

/// Which staff user is signed in.
#[derive(Object)]
#[oai(rename = "CurrentStaffSession")]
struct StaffSessionView {
    /// Who.
    user: StaffUserView,
    /// The session.
    session: SessionInfo,
}

#[OpenApi(prefix_path = "/api/staff/auth", tag = "Tag::StaffSessions")]
impl StaffSessions {
    /// Ask for a sign-in code
    ///
    /// Answered alike for addresses that are not of staff.
    #[oai(path = "/send-code", method = "post", operation_id = "send_code")]
    async fn send_code(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<SendCode>,
    ) -> ApiResult<Json<CodeSent>, { status::UNSUPPORTED_MEDIA_TYPE }> {
        let again = body.flow.map(|Field(flow)| flow);
        let flow = staff::send_code(app, &caller, &body.email.0, again).await?;
        Ok(Json(CodeSent { status: AcceptedStatus::Accepted, flow: flow.0 }))
    }

    /// Sign in by the code
    ///
    /// Five wrong codes kill the code.
    #[oai(path = "/verify-code", method = "post", operation_id = "verify_code")]
    async fn verify_code(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        current: CurrentSession<true>,
        Body(body): Body<VerifyCode>,
    ) -> ApiResult<WithCookies<Json<StaffSession>>, { status::UNSUPPORTED_MEDIA_TYPE | status::UNAUTHORIZED }> {
        let Field(Code(code)) = body.code;
        let opened = staff::verify_code(app, &caller, body.flow.0, &code, current.0).await?;
        Ok(views::staff_signed_in(app, opened))
    }

    /// Refresh a staff session
    ///
    /// As for the portal; the session begins to idle anew.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh_staff_session")]
    async fn refresh(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        RefreshToken(token): RefreshToken<true>,
    ) -> ApiResult<WithCookies<Json<StaffSession>>, { status::UNAUTHORIZED }> {
        Ok(views::staff_session(app, sessions::refresh_staff(app, &caller, &token).await?))
    }

    /// Sign staff out
    ///
    /// Ends the session of the access or the refresh token, whichever is there; 204 also when there is none.
    #[oai(path = "/sign-out", method = "post", operation_id = "sign_out_staff")]
    async fn sign_out(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        OptionalSession(session): OptionalSession<true>,
    ) -> ApiResult<WithCookies<NoContent>, 0> {
        sessions::sign_out(app, &caller, session).await?;
        Ok(WithCookies(NoContent, cookies::expired_cookies(app, Realm::Staff)))
    }

    /// Sign staff out everywhere
    ///
    /// Ends every session of the staff user; 204 also when nobody is signed in.
    #[oai(path = "/sign-out-everywhere", method = "post", operation_id = "sign_out_staff_everywhere")]
    async fn sign_out_everywhere(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        OptionalSession(session): OptionalSession<true>,
    ) -> ApiResult<WithCookies<NoContent>, 0> {
        sessions::sign_out_everywhere(app, &caller, session).await?;
        Ok(WithCookies(NoContent, cookies::expired_cookies(app, Realm::Staff)))
    }

    /// See the staff session
    #[oai(path = "/session", method = "get", operation_id = "get_staff_session")]
    async fn session(&self, caller: StaffUser) -> ApiResult<Json<StaffSessionView>, { status::UNAUTHORIZED }> {
        let (user, session) = (StaffUserView::new(&caller.user, &caller.tenant), SessionInfo::from(&caller.session));
        Ok(Json(StaffSessionView { user, session }))
    }
}
