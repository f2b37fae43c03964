//! `/api/portal/auth`: sign-in, refresh and sign-out of portal users.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, payload::Json};
use portico_domain::{
    entity::{ClientId, CodeFlowId},
    identity::{
        sessions,
        sign_in::{self, CodeInput, SignInInput},
        step_up,
    },
    platform::{
        actor::{self, Realm},
        app::App,
        email_address::EmailAddress,
        secret::{Password, PlainToken},
    },
    tenancy::branding,
};

use crate::{
    http::{
        auth::{
            Anonymous, Portal, PortalUser, PortalUserWithMemberships, RefreshToken, ReplacedSession, SignOutSessions,
            UnenrolledPortalUser,
        },
        body::Body,
        cookies,
        error::{ApiResult, codes, limit, request},
        fields::{Code, Field},
        nullable::Nullable,
        response::{NoContent, WithCookies},
        tags::Tag,
    },
    identity::{
        codes::{CodeSent, SendCode},
        step_up::StepUp,
        views::{self, Session, SessionInfo, SignInResult, User},
    },
    tenancy::views::{ClientSummary, TenantContactView},
};

/// The operations of the tag `portal sessions`.
pub(crate) struct Sessions;

/// The credentials of a portal user.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct SignIn {
    /// The email address.
    email: Field<EmailAddress>,
    /// The password.
    password: Field<Password>,
    /// The id of the client to act for. If it is absent, the client that the user last signed in to is taken.
    client_id: Option<Field<ClientId>>,
    /// The link token of an invitation to accept: the text after `#token=` in the mailed URL. The session then acts for
    /// the client of the invitation.
    invitation: Option<Field<PlainToken>>,
}

/// A sign-in code and its code flow.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct VerifyPortalCode {
    /// The id of the code flow, as returned by `send_portal_code`.
    flow: Field<CodeFlowId>,
    /// The code: a string of six digits.
    code: Field<Code>,
    /// The id of the client to act for. If it is absent, the client that the user last signed in to is taken.
    client_id: Option<Field<ClientId>>,
}

/// The client to switch to.
#[derive(Object)]
struct SwitchClient {
    /// The id of a client of which the user is an active member.
    client_id: Field<ClientId>,
}

/// The signed-in portal user, the client, and the session.
#[derive(Object)]
#[oai(rename = "CurrentSession")]
struct PortalSessionView {
    /// The signed-in portal user.
    user: User,
    /// The client that the user acts for.
    client: Nullable<ClientSummary>,
    /// The tenant of this client.
    tenant: Nullable<TenantContactView>,
    /// Every client that the user can act for, sorted by name.
    clients: Vec<ClientSummary>,
    /// The current session.
    session: SessionInfo,
}

#[OpenApi(prefix_path = "/api/portal/auth", tag = "Tag::PortalSessions")]
impl Sessions {
    /// Sign in
    ///
    /// Opens a session. The session that the browser already has is revoked. The oldest session is revoked if the user
    /// has more than five.
    ///
    /// The response is `invalid_credentials` for an unknown address, a wrong or locked password, an account that is not
    /// activated or is disabled, and a `client_id` that the user is not a member of. It is 403 `client_suspended`
    /// after a correct password if the named client, or every client of the user, is archived or its tenant is
    /// suspended.
    ///
    /// If a second factor is needed, the response is a challenge and sets no cookie: `verify_second_factor` or
    /// `complete_enrolment` then opens the session. The invitation is accepted then, too.
    ///
    /// With `invitation`, the sign-in accepts the invitation of a link with the purpose `accept` and opens the session
    /// at its client. So a user who is no longer a member of any client can return. After a correct password, and only
    /// then, a link that is unknown, expired, used or revoked is answered as by `check_token`; a link of another user
    /// is 409 `wrong_account`, and a `client_id` of another client is 422. The link then stays unused.
    #[oai(path = "/sign-in", method = "post", operation_id = "sign_in")]
    async fn sign_in(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        current: ReplacedSession<Portal>,
        Body(body): Body<SignIn>,
    ) -> ApiResult<
        WithCookies<Json<SignInResult>>,
        {
            codes::INVALID_CREDENTIALS
                | codes::CLIENT_SUSPENDED
                | codes::LINK_TOKEN
                | codes::WRONG_ACCOUNT
                | limit::PASSWORD
        },
    > {
        let input = SignInInput {
            email: body.email.0,
            password: body.password.0,
            client: body.client_id.map(|Field(client)| client),
            invitation: body.invitation.map(|Field(token)| token),
            replaces: current.0,
        };
        Ok(views::sign_in_response(app, sign_in::sign_in(app, &caller, input).await?))
    }

    /// Request a sign-in code for the portal
    ///
    /// Mails a code of six digits if the address belongs to a portal user who has activated the account and whose
    /// tenant allows sign-ins with codes. By default the code is valid for ten minutes. At most three flows of a
    /// user, or of one of their known devices, have a valid code; a further flow gets no mail. The response is the
    /// same for an unknown address.
    #[oai(path = "/send-code", method = "post", operation_id = "send_portal_code")]
    async fn send_code(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<SendCode>,
    ) -> ApiResult<Json<CodeSent>, { limit::SEND_CODE | limit::SEND_CODE_NETWORK }> {
        Ok(Json(body.send(app, &caller, Realm::Portal).await?))
    }

    /// Sign in to the portal with a code
    ///
    /// Opens a session as `sign_in` does, with a code that `send_portal_code` has mailed. After five wrong codes the
    /// code is invalid. The response is `invalid_code` for a wrong, used or expired code, for an unknown flow, and
    /// for a user who cannot sign in here with a code.
    #[oai(path = "/verify-code", method = "post", operation_id = "verify_portal_code")]
    async fn verify_code(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        current: ReplacedSession<Portal>,
        Body(body): Body<VerifyPortalCode>,
    ) -> ApiResult<
        WithCookies<Json<SignInResult>>,
        { codes::INVALID_CODE | codes::CLIENT_SUSPENDED | limit::CODE_MISSES | limit::TOKEN_NETWORK },
    > {
        let Field(Code(code)) = body.code;
        let client = body.client_id.map(|Field(client)| client);
        let input = CodeInput { flow: body.flow.0, code, client, replaces: current.0 };
        Ok(views::sign_in_response(app, sign_in::verify_code(app, &caller, input).await?))
    }

    /// Step up in the portal
    ///
    /// Makes the current session fresh for ten minutes: its `auth_time` becomes now, and with a second factor
    /// `mfa_at` too. The user proves their identity with the password, or with a code that `send_portal_code` has
    /// mailed to their own address; if second factors are on, with one of them. A passkey is a second factor in any
    /// case. The session keeps its id. The response sets new tokens.
    #[oai(path = "/step-up", method = "post", operation_id = "step_up")]
    async fn step_up(
        &self,
        Data(app): Data<&App>,
        caller: UnenrolledPortalUser,
        Body(body): Body<StepUp>,
    ) -> ApiResult<
        WithCookies<Json<Session>>,
        {
            codes::INVALID_CREDENTIALS
                | codes::INVALID_CODE
                | codes::MFA_REQUIRED
                | limit::PASSWORD
                | limit::CODE_MISSES
                | limit::MFA_MISSES
                | limit::TOKEN_NETWORK
        },
    > {
        let issued = step_up::step_up(app, caller.0.unchecked(), body.proof()?).await?;
        Ok(views::session_response(app, issued))
    }

    /// Refresh a session
    ///
    /// Exchanges the refresh token in the cookie for a new access token and a new refresh token. The previous refresh
    /// token gets the same successor again, for example in a second tab or after a lost response, until one of the new
    /// tokens has been used, and for ten seconds (by default) more. Any other use of an old refresh token shows that it
    /// was copied, and the session is revoked.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh_session")]
    async fn refresh(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        token: RefreshToken<Portal>,
    ) -> ApiResult<WithCookies<Json<Session>>, 0> {
        Ok(views::session_response(app, sessions::refresh_portal(app, &caller, &token.0).await?))
    }

    /// Sign out
    ///
    /// Revokes every session that an access token or a refresh token in the request belongs to, and deletes the
    /// cookies. The response is 204 even if there is no session.
    #[oai(path = "/sign-out", method = "post", operation_id = "sign_out")]
    async fn sign_out(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        presented: SignOutSessions<Portal>,
    ) -> ApiResult<WithCookies<NoContent>, { request::IGNORES_WRONG_CREDENTIAL }> {
        sessions::sign_out(app, &caller, &presented.0).await?;
        Ok(WithCookies(NoContent, cookies::deletion_cookies(app, Realm::Portal)))
    }

    /// Sign out everywhere
    ///
    /// Revokes every session of the user and deletes the cookies. The response is 204 even if no user is signed in.
    #[oai(path = "/sign-out-everywhere", method = "post", operation_id = "sign_out_everywhere")]
    async fn sign_out_everywhere(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        presented: SignOutSessions<Portal>,
    ) -> ApiResult<WithCookies<NoContent>, { request::IGNORES_WRONG_CREDENTIAL }> {
        sessions::sign_out_everywhere(app, &caller, &presented.0).await?;
        Ok(WithCookies(NoContent, cookies::deletion_cookies(app, Realm::Portal)))
    }

    /// Switch to another client
    ///
    /// Lets the session act for another client of the user, and returns a new access token. The session keeps its id
    /// and its refresh token. Every access token that names the former client is refused from then on, with 401
    /// `unauthenticated`; a refresh gives other tabs one that names the new client. The response is 404 if the user is
    /// not an active member of the client, or if the client is archived. A later sign-in without `client_id` selects
    /// this client.
    #[oai(path = "/switch-client", method = "post", operation_id = "switch_client")]
    async fn switch_client(
        &self,
        Data(app): Data<&App>,
        caller: PortalUser,
        Body(body): Body<SwitchClient>,
    ) -> ApiResult<WithCookies<Json<Session>>, { codes::NOT_FOUND }> {
        let issued = sessions::switch_client(app, &caller, body.client_id.0).await?;
        Ok(views::switched_session_response(app, &issued))
    }

    /// Get the current session
    ///
    /// Returns the signed-in portal user, the client that the user acts for, and the session.
    #[oai(path = "/session", method = "get", operation_id = "get_session")]
    async fn session(
        &self,
        Data(app): Data<&App>,
        caller: PortalUserWithMemberships,
    ) -> ApiResult<Json<PortalSessionView>, 0> {
        let actor::PortalUserWithMemberships { caller, memberships } = caller.0;
        let tenant = branding::contact_of(app, caller.active.client.tenant_id).await?;
        Ok(Json(PortalSessionView {
            user: User::from(&caller.user),
            client: Nullable(Some(ClientSummary::from(&caller.active))),
            tenant: Nullable(tenant.map(Into::into)),
            clients: memberships.iter().map(ClientSummary::from).collect(),
            session: SessionInfo::of_portal_user(&caller)?,
        }))
    }
}
