//! `/api/portal/auth`: sign-in, refresh and sign-out of portal users.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, payload::Json};
use portico_domain::{
    entity::ClientId,
    identity::{
        sessions,
        sign_in::{self, SignInInput},
    },
    platform::{
        actor::{self, Realm},
        app::App,
        email_address::EmailAddress,
        secret::Password,
    },
};

use crate::{
    http::{
        auth::{Anonymous, Portal, PortalUserWithMemberships, RefreshToken, ReplacedSession, SignOutSessions},
        body::Body,
        cookies,
        error::{ApiResult, limit, status},
        fields::Field,
        nullable::Nullable,
        response::{NoContent, WithCookies},
        tags::Tag,
    },
    identity::views::{self, Session, SessionInfo, User},
    tenancy::views::ClientSummary,
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
}

/// The signed-in portal user, the client, and the session.
#[derive(Object)]
#[oai(rename = "CurrentSession")]
struct PortalSessionView {
    /// The signed-in portal user.
    user: User,
    /// The client that the user acts for.
    client: Nullable<ClientSummary>,
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
    #[oai(path = "/sign-in", method = "post", operation_id = "sign_in")]
    async fn sign_in(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        current: ReplacedSession<Portal>,
        Body(body): Body<SignIn>,
    ) -> ApiResult<
        WithCookies<Json<Session>>,
        { status::UNSUPPORTED_MEDIA_TYPE | status::UNAUTHORIZED | limit::SIGN_IN_RATE },
    > {
        let (Field(email), Field(password), client) =
            (body.email, body.password, body.client_id.map(|Field(client)| client));
        let input = SignInInput { email, password, client, replaces: current.0 };
        Ok(views::sign_in_response(app, sign_in::sign_in(app, &caller, input).await?))
    }

    /// Refresh a session
    ///
    /// Exchanges the refresh token in the cookie for a new access token and a new refresh token. For ten seconds (by
    /// default) the previous refresh token is still accepted, for example from a second tab. Any other use of an old
    /// refresh token shows that it was copied, and the session is revoked.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh_session")]
    async fn refresh(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        token: RefreshToken<Portal>,
    ) -> ApiResult<WithCookies<Json<Session>>, { status::UNAUTHORIZED }> {
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
    ) -> ApiResult<WithCookies<NoContent>, 0> {
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
    ) -> ApiResult<WithCookies<NoContent>, 0> {
        sessions::sign_out_everywhere(app, &caller, &presented.0).await?;
        Ok(WithCookies(NoContent, cookies::deletion_cookies(app, Realm::Portal)))
    }

    /// Get the current session
    ///
    /// Returns the signed-in portal user, the client that the user acts for, and the session.
    #[oai(path = "/session", method = "get", operation_id = "get_session")]
    async fn session(
        &self,
        PortalUserWithMemberships(caller): PortalUserWithMemberships,
    ) -> ApiResult<Json<PortalSessionView>, { status::UNAUTHORIZED }> {
        let actor::PortalUserWithMemberships { caller, memberships } = caller;
        Ok(Json(PortalSessionView {
            user: User::from(&caller.user),
            client: Nullable(Some(ClientSummary::from(&caller.active))),
            clients: memberships.iter().map(ClientSummary::from).collect(),
            session: SessionInfo::from(&caller.session),
        }))
    }
}
