//! `/api/portal/auth`: signing in, refreshing and signing out.

use poem::web::Data;
use poem_openapi::{Object, OpenApi, payload::Json};
use portico_domain::{
    actor,
    app::App,
    email_address::EmailAddress,
    entity::ClientId,
    secret::Password,
    sessions::{self, Realm},
    sign_in::{self, SignInInput},
};

use crate::{
    auth::{Anonymous, CurrentSession, OptionalSession, PortalUserWithMemberships, RefreshToken},
    body::Body,
    cookies,
    error::{ApiResult, status},
    fields::Field,
    nullable::Nullable,
    response::{NoContent, WithCookies},
    tags::Tag,
    views::{self, ClientSummary, Session, SessionInfo, User},
};

pub(crate) struct PortalSessions;

/// Address and password.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct SignIn {
    /// The person's address.
    email: Field<EmailAddress>,
    /// Their password.
    password: Field<Password>,
    /// The client to act for; else the one last used.
    client_id: Option<Field<ClientId>>,
}

/// Who is signed in, and where.
#[derive(Object)]
#[oai(rename = "CurrentSession")]
struct PortalSessionView {
    /// Who.
    user: User,
    /// The client they act for.
    client: Nullable<ClientSummary>,
    /// All clients they can act for.
    clients: Vec<ClientSummary>,
    /// The session.
    session: SessionInfo,
}

#[OpenApi(prefix_path = "/api/portal/auth", tag = "Tag::PortalSessions")]
impl PortalSessions {
    /// Sign in
    ///
    /// Unknown, wrong, not activated and disabled are answered alike. A session that the browser had before ends.
    #[oai(path = "/sign-in", method = "post", operation_id = "sign_in")]
    async fn sign_in(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        current: CurrentSession<false>,
        Body(body): Body<SignIn>,
    ) -> ApiResult<WithCookies<Json<Session>>, { status::UNSUPPORTED_MEDIA_TYPE | status::UNAUTHORIZED }> {
        let (Field(email), Field(password), client) =
            (body.email, body.password, body.client_id.map(|Field(client)| client));
        let input = SignInInput { email, password, client, replaces: current.0 };
        Ok(views::signed_in(app, sign_in::sign_in(app, &caller, input).await?))
    }

    /// Refresh a session
    ///
    /// Trades the refresh cookie for a new pair of tokens. A refresh token works once; showing an older one ends the
    /// session, since somebody must have copied it.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh_session")]
    async fn refresh(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        RefreshToken(token): RefreshToken<false>,
    ) -> ApiResult<WithCookies<Json<Session>>, { status::UNAUTHORIZED }> {
        Ok(views::session(app, sessions::refresh_portal(app, &caller, &token).await?))
    }

    /// Sign out
    ///
    /// Ends the session of the access or the refresh token, whichever is there; 204 also when there is none.
    #[oai(path = "/sign-out", method = "post", operation_id = "sign_out")]
    async fn sign_out(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        OptionalSession(session): OptionalSession<false>,
    ) -> ApiResult<WithCookies<NoContent>, 0> {
        sessions::sign_out(app, &caller, session).await?;
        Ok(WithCookies(NoContent, cookies::expired_cookies(app, Realm::Portal)))
    }

    /// Sign out everywhere
    ///
    /// Ends every session of the person; 204 also when nobody is signed in.
    #[oai(path = "/sign-out-everywhere", method = "post", operation_id = "sign_out_everywhere")]
    async fn sign_out_everywhere(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        OptionalSession(session): OptionalSession<false>,
    ) -> ApiResult<WithCookies<NoContent>, 0> {
        sessions::sign_out_everywhere(app, &caller, session).await?;
        Ok(WithCookies(NoContent, cookies::expired_cookies(app, Realm::Portal)))
    }

    /// See the session
    #[oai(path = "/session", method = "get", operation_id = "get_session")]
    async fn session(
        &self,
        PortalUserWithMemberships(caller): PortalUserWithMemberships,
    ) -> ApiResult<Json<PortalSessionView>, { status::UNAUTHORIZED }> {
        let actor::PortalUserWithMemberships { signed_in: caller, memberships } = caller;
        Ok(Json(PortalSessionView {
            user: User::from(&caller.user),
            client: Nullable(Some(ClientSummary::new(&caller.client, &caller.membership))),
            clients: memberships.iter().map(|active| ClientSummary::new(&active.client, &active.membership)).collect(),
            session: SessionInfo::from(&caller.session),
        }))
    }
}
