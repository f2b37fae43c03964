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
    answer::{Done, WithCookies},
    body::Body,
    caller::{Leaving, Presented, RefreshToken, SignedInPlaces, Visitor},
    cookies,
    error::{Answer, can},
    fields::Field,
    nullable::Nullable,
    people::{self, Client, Session, SessionInfo, User},
    tags::Tag,
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
struct CurrentSession {
    /// Who.
    user: User,
    /// The client they act for.
    client: Nullable<Client>,
    /// All clients they can act for.
    clients: Vec<Client>,
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
        by: Visitor,
        presented: Presented<false>,
        Body(body): Body<SignIn>,
    ) -> Answer<WithCookies<Json<Session>>, { can::READ | can::REFUSE }> {
        let (Field(email), Field(password), client) =
            (body.email, body.password, body.client_id.map(|Field(client)| client));
        let input = SignInInput { email, password, client, presented: presented.0 };
        Ok(people::signed_in(app, sign_in::sign_in(app, &by, input).await?))
    }

    /// Refresh a session
    ///
    /// Trades the refresh cookie for a new pair of tokens. A refresh token works once; showing an older one ends the
    /// session, since somebody must have copied it.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh_session")]
    async fn refresh(
        &self,
        Data(app): Data<&App>,
        by: Visitor,
        RefreshToken(token): RefreshToken<false>,
    ) -> Answer<WithCookies<Json<Session>>, { can::REFUSE }> {
        Ok(people::session(app, sessions::refresh_portal(app, &by, &token).await?))
    }

    /// Sign out
    ///
    /// Ends the session of the access or the refresh token, whichever is there; 204 also when there is none.
    #[oai(path = "/sign-out", method = "post", operation_id = "sign_out")]
    async fn sign_out(
        &self,
        Data(app): Data<&App>,
        by: Visitor,
        Leaving(session): Leaving<false>,
    ) -> Answer<WithCookies<Done>, 0> {
        sessions::sign_out(app, &by, session).await?;
        Ok(WithCookies(Done, cookies::gone(app, Realm::Portal)))
    }

    /// Sign out everywhere
    ///
    /// Ends every session of the person; 204 also when nobody is signed in.
    #[oai(path = "/sign-out-everywhere", method = "post", operation_id = "sign_out_everywhere")]
    async fn sign_out_everywhere(
        &self,
        Data(app): Data<&App>,
        by: Visitor,
        Leaving(session): Leaving<false>,
    ) -> Answer<WithCookies<Done>, 0> {
        sessions::sign_out_everywhere(app, &by, session).await?;
        Ok(WithCookies(Done, cookies::gone(app, Realm::Portal)))
    }

    /// See the session
    #[oai(path = "/session", method = "get", operation_id = "get_session")]
    async fn session(&self, SignedInPlaces(by): SignedInPlaces) -> Answer<Json<CurrentSession>, { can::REFUSE }> {
        let actor::SignedInPlaces { signed_in: by, places } = by;
        Ok(Json(CurrentSession {
            user: User::from(&by.user),
            client: Nullable(Some(Client::new(&by.client, &by.membership))),
            clients: places.iter().map(|place| Client::new(&place.client, &place.membership)).collect(),
            session: SessionInfo::from(&by.session),
        }))
    }
}
