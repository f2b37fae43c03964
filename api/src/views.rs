//! How people, clients and sessions look from outside: the shapes that several operations answer with.

use chrono::{DateTime, Utc};
use poem::http::HeaderValue;
use poem_openapi::{Enum, Object, payload::Json};
use portico_domain::{
    app::App,
    entity::{client, membership, portal_user, session, staff_user, tenant},
    sessions::{IssuedSession, IssuedStaffSession, Realm},
};
use uuid::Uuid;

use crate::{cookies, nullable::Nullable, response::WithCookies};

/// A person who signs in to the portal.
#[derive(Object)]
pub(crate) struct User {
    /// Their id.
    id: Uuid,
    /// Their address.
    email: String,
    /// What they are called.
    name: String,
    /// The language they chose, if they chose one.
    locale: Nullable<String>,
}

/// A client that a person may act for.
#[derive(Object)]
pub(crate) struct ClientSummary {
    /// Its id.
    id: Uuid,
    /// What it is called.
    name: String,
    /// What the person is there.
    role: MemberRole,
    /// Where it stands.
    status: ClientSummaryStatus,
}

/// What a person is at a client.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
pub(crate) enum MemberRole {
    Admin,
    Member,
}

/// Where a client stands that lets people in.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum ClientSummaryStatus {
    Active,
    PastDue,
}

#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum SignedInStatus {
    SignedIn,
}

#[derive(Enum)]
enum TokenType {
    Bearer,
}

/// A session that was opened or refreshed. The tokens are in cookies too.
#[derive(Object)]
pub(crate) struct Session {
    /// `signed_in`.
    status: SignedInStatus,
    /// For the `Authorization` header.
    access_token: String,
    /// `Bearer`.
    token_type: TokenType,
    /// How long the access token lives, in seconds.
    expires_in: u64,
    /// Who signed in.
    user: User,
    /// The client they act for.
    client: Nullable<ClientSummary>,
}

/// A staff session that was opened or refreshed. The tokens are in cookies too.
#[derive(Object)]
pub(crate) struct StaffSession {
    /// `signed_in`.
    status: SignedInStatus,
    /// For the `Authorization` header.
    access_token: String,
    /// `Bearer`.
    token_type: TokenType,
    /// How long the access token lives, in seconds.
    expires_in: u64,
    /// Who signed in.
    user: StaffUserView,
}

/// Somebody of a tenant.
#[derive(Object)]
#[oai(rename = "StaffUser")]
pub(crate) struct StaffUserView {
    /// Their id.
    id: Uuid,
    /// Their address.
    email: String,
    /// What they are called.
    name: String,
    /// What they may do.
    role: StaffRole,
    /// The tenant.
    tenant: Tenant,
}

/// What staff may do.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum StaffRole {
    Owner,
    Admin,
    Support,
    Viewer,
}

/// A company that uses Portico.
#[derive(Object)]
pub(crate) struct Tenant {
    /// Its id.
    id: Uuid,
    /// Its short name.
    slug: String,
    /// What it is called.
    name: String,
}

/// The session behind a request.
#[derive(Object)]
pub(crate) struct SessionInfo {
    /// Its id.
    id: Uuid,
    /// When it was opened.
    created_at: DateTime<Utc>,
    /// When it ends, however often it is refreshed.
    expires_at: DateTime<Utc>,
    /// When the person last proved who they are.
    auth_time: DateTime<Utc>,
}

impl From<&portal_user::Model> for User {
    fn from(user: &portal_user::Model) -> Self {
        Self {
            id: user.id.0,
            email: user.email.clone(),
            name: user.name.clone(),
            locale: Nullable(user.locale.clone()),
        }
    }
}

impl ClientSummary {
    pub(crate) fn new(client: &client::Model, membership: &membership::Model) -> Self {
        Self {
            id: client.id.0,
            name: client.name.clone(),
            role: membership.role.into(),
            status: match client.status {
                client::Status::PastDue => ClientSummaryStatus::PastDue,
                // Nobody acts for an archived client, so there is no name for it here.
                client::Status::Active | client::Status::Archived => ClientSummaryStatus::Active,
            },
        }
    }
}

impl From<membership::Role> for MemberRole {
    fn from(role: membership::Role) -> Self {
        match role {
            membership::Role::Admin => Self::Admin,
            membership::Role::Member => Self::Member,
        }
    }
}

impl From<MemberRole> for membership::Role {
    fn from(role: MemberRole) -> Self {
        match role {
            MemberRole::Admin => Self::Admin,
            MemberRole::Member => Self::Member,
        }
    }
}

impl StaffUserView {
    pub(crate) fn new(user: &staff_user::Model, tenant: &tenant::Model) -> Self {
        Self {
            id: user.id.0,
            email: user.email.clone(),
            name: user.name.clone(),
            role: match user.role {
                staff_user::Role::Owner => StaffRole::Owner,
                staff_user::Role::Admin => StaffRole::Admin,
                staff_user::Role::Support => StaffRole::Support,
                staff_user::Role::Viewer => StaffRole::Viewer,
            },
            tenant: Tenant { id: tenant.id.0, slug: tenant.slug.clone(), name: tenant.name.clone() },
        }
    }
}

impl From<&session::Model> for SessionInfo {
    fn from(session: &session::Model) -> Self {
        Self {
            id: session.id.0,
            created_at: session.created_at,
            expires_at: session.expires_at,
            auth_time: session.auth_time,
        }
    }
}

/// The answer to whoever refreshed a portal session.
pub(crate) fn session(app: &App, opened: IssuedSession) -> WithCookies<Json<Session>> {
    let cookies = session_cookies(app, Realm::Portal, &opened.tokens, &opened.session);
    let body = Session {
        status: SignedInStatus::SignedIn,
        access_token: opened.tokens.access.reveal().to_owned(),
        token_type: TokenType::Bearer,
        expires_in: opened.tokens.expires_in,
        user: User::from(&opened.user),
        client: Nullable(Some(ClientSummary::new(&opened.client, &opened.membership))),
    };
    WithCookies(Json(body), cookies)
}

/// The answer to whoever has just proved who they are in the portal: from now on their device is known.
pub(crate) fn signed_in(app: &App, opened: IssuedSession) -> WithCookies<Json<Session>> {
    let device = cookies::device_cookie(app, Realm::Portal, &opened.user.email);
    let mut answer = session(app, opened);
    answer.1.extend(device);
    answer
}

/// The answer to staff who have just proved who they are: from now on their device is known.
pub(crate) fn staff_signed_in(app: &App, opened: IssuedStaffSession) -> WithCookies<Json<StaffSession>> {
    let device = cookies::device_cookie(app, Realm::Staff, &opened.user.email);
    let mut answer = staff_session(app, opened);
    answer.1.extend(device);
    answer
}

/// The answer to whoever refreshed a staff session.
pub(crate) fn staff_session(app: &App, opened: IssuedStaffSession) -> WithCookies<Json<StaffSession>> {
    let cookies = session_cookies(app, Realm::Staff, &opened.tokens, &opened.session);
    let body = StaffSession {
        status: SignedInStatus::SignedIn,
        access_token: opened.tokens.access.reveal().to_owned(),
        token_type: TokenType::Bearer,
        expires_in: opened.tokens.expires_in,
        user: StaffUserView::new(&opened.user, &opened.tenant),
    };
    WithCookies(Json(body), cookies)
}

fn session_cookies(
    app: &App,
    realm: Realm,
    tokens: &portico_domain::sessions::Tokens,
    session: &session::Model,
) -> Vec<HeaderValue> {
    let lives = (session.expires_at - app.now()).num_seconds().max(0);
    cookies::session_cookies(app, realm, tokens, lives.unsigned_abs())
}
