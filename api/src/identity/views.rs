//! The response objects of identity that several operations share: users and sessions.

use chrono::{DateTime, Utc};
use poem::http::HeaderValue;
use poem_openapi::{Enum, Object, Union, payload::Json};
use portico_domain::{
    entity::{
        portal_user,
        session::{self, Factor, Method},
        sign_in_challenge::Purpose,
        staff_user, tenant,
    },
    identity::{
        mfa::Challenge,
        sessions::{IssuedSession, IssuedStaffSession, Tokens},
        sign_in::SignInOutcome,
    },
    platform::{
        actor::{MayOweMfa, Permission, PortalUser, Realm, StaffUser},
        app::App,
        error::Error,
    },
};
use uuid::Uuid;

use crate::{
    http::{
        cookies::{self, Cookie},
        nullable::Nullable,
        one_of::OneOf,
        response::WithCookies,
    },
    tenancy::views::{ClientSummary, StaffRole, Tenant},
};

/// A portal user.
#[derive(Object)]
pub(crate) struct User {
    /// The id of the user (UUIDv7).
    id: Uuid,
    /// The email address, in lower case.
    email: String,
    /// The name, 1 to 100 characters.
    name: String,
    /// The language of the user's mail as a BCP 47 tag, such as `en` or `de-CH`; `null` for that of the tenant.
    locale: Nullable<String>,
}

/// The status of an issued session.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum SignedInStatus {
    /// The user is signed in.
    SignedIn,
}

/// The type of an access token (RFC 6749 §7.1).
#[derive(Enum)]
enum TokenType {
    /// A bearer token (RFC 6750).
    Bearer,
}

/// A portal session that was opened or refreshed. The response also sets the access token and the refresh token as
/// cookies.
#[derive(Object)]
pub(crate) struct Session {
    /// Always `signed_in`.
    status: SignedInStatus,
    /// The access token: a JWT (RFC 7519) for the header `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: TokenType,
    /// The lifetime of the access token, in seconds.
    expires_in: u64,
    /// The signed-in portal user.
    user: User,
    /// The client that the user acts for.
    client: Nullable<ClientSummary>,
}

/// A staff session that was opened or refreshed. The response also sets the access token and the refresh token as
/// cookies.
#[derive(Object)]
pub(crate) struct StaffSession {
    /// Always `signed_in`.
    status: SignedInStatus,
    /// The access token: a JWT (RFC 7519) for the header `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: TokenType,
    /// The lifetime of the access token, in seconds.
    expires_in: u64,
    /// The signed-in staff user.
    user: StaffUserView,
}

/// A sign-in that needs a second factor. It opens no session and sets no cookie.
#[derive(Object)]
pub(crate) struct SignInChallenge {
    /// What the user must do to complete the sign-in.
    status: ChallengeStatus,
    /// The secret of the challenge, which the operations for second factors take. It is valid once.
    challenge: String,
    /// The second factors by which the sign-in can be completed, the strongest first: those that the user has, or those
    /// that can be set up.
    methods: Vec<OneOf<Factor>>,
    /// Whether the user must enter a mailed code before a second factor is set up.
    mail_code_required: bool,
    /// For how many days the browser can become a trusted device; 0 if it cannot.
    trusted_device_days: u16,
    /// How long the challenge is valid, in seconds.
    expires_in: u64,
}

/// What the user must do to complete a sign-in.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum ChallengeStatus {
    /// Prove a second factor.
    MfaRequired,
    /// Set up a second factor, because the tenant requires one.
    MfaEnrolmentRequired,
}

/// The result of a right first factor of a portal user: a session, or a challenge if a second factor is needed. The
/// `status` tells which.
#[derive(Union)]
#[oai(one_of)]
pub(crate) enum SignInResult {
    /// The user is signed in.
    Session(Session),
    /// A second factor is needed.
    SignInChallenge(SignInChallenge),
}

/// The result of a right first factor of a staff user: a session, or a challenge if a second factor is needed. The
/// `status` tells which.
#[derive(Union)]
#[oai(one_of)]
pub(crate) enum StaffSignInResult {
    /// The user is signed in.
    StaffSession(StaffSession),
    /// A second factor is needed.
    SignInChallenge(SignInChallenge),
}

/// A staff user.
#[derive(Object)]
#[oai(rename = "StaffUser")]
pub(crate) struct StaffUserView {
    /// The id of the staff user (UUIDv7).
    id: Uuid,
    /// The email address, in lower case.
    email: String,
    /// The name, 1 to 100 characters.
    name: String,
    /// The role, which decides what the staff user may do.
    role: StaffRole,
    /// The tenant that the staff user belongs to.
    tenant: Tenant,
}

/// What a staff user may do.
#[derive(Enum)]
pub(crate) enum StaffPermission {
    /// Read clients, their portal users and invitations.
    #[oai(rename = "clients:read")]
    ClientsRead,
    /// Change clients and memberships, and invite.
    #[oai(rename = "clients:edit")]
    ClientsEdit,
    /// Read the mail log.
    #[oai(rename = "emails:read")]
    EmailsRead,
    /// Send failed mails again.
    #[oai(rename = "emails:edit")]
    EmailsEdit,
    /// Read and export the audit log.
    #[oai(rename = "audit:read")]
    AuditRead,
    /// Read the settings of the tenant.
    #[oai(rename = "settings:read")]
    SettingsRead,
    /// Change the settings of the tenant, in a fresh session.
    #[oai(rename = "settings:edit")]
    SettingsEdit,
    /// Read the sign-in policy of the tenant.
    #[oai(rename = "policy:read")]
    PolicyRead,
    /// Change the sign-in policy of the tenant, in a fresh session.
    #[oai(rename = "policy:edit")]
    PolicyEdit,
    /// Read the list of staff users, service accounts and their tokens.
    #[oai(rename = "staff:read")]
    StaffRead,
    /// Change staff users, service accounts and their tokens, in a fresh session.
    #[oai(rename = "staff:edit")]
    StaffEdit,
}

/// Whether the user has second factors.
#[derive(Object)]
struct MfaInfo {
    /// Whether second factors are on: a sign-in asks for one.
    enabled: bool,
    /// Whether the tenant requires a second factor.
    required: bool,
    /// When the user must have a second factor (RFC 3339, UTC); `null` if the user has one, or if none is required.
    due_at: Nullable<DateTime<Utc>>,
}

/// The session of the request.
#[derive(Object)]
pub(crate) struct SessionInfo {
    /// The id of the session (UUIDv7).
    id: Uuid,
    /// When the session was opened (RFC 3339, UTC).
    created_at: DateTime<Utc>,
    /// When the session expires (RFC 3339, UTC). A refresh does not change it.
    expires_at: DateTime<Utc>,
    /// When the user last proved their identity (RFC 3339, UTC): at sign-in, or by a step-up. A refresh does not change
    /// it.
    auth_time: DateTime<Utc>,
    /// The first factor by which the session was opened; `null` if an older version of Portico has opened it.
    method: Nullable<OneOf<Method>>,
    /// When the user last proved a second factor (RFC 3339, UTC); `null` if they did not.
    mfa_at: Nullable<DateTime<Utc>>,
    /// Whether the user has second factors.
    mfa: MfaInfo,
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

impl StaffUserView {
    /// Returns the view of a staff user and their tenant.
    pub(crate) fn new(user: &staff_user::Model, tenant: &tenant::Model) -> Self {
        Self {
            id: user.id.0,
            email: user.email.clone(),
            name: user.name.clone(),
            role: user.role.into(),
            tenant: tenant.into(),
        }
    }
}

impl From<Permission> for StaffPermission {
    fn from(permission: Permission) -> Self {
        match permission {
            Permission::ClientsRead => Self::ClientsRead,
            Permission::ClientsEdit => Self::ClientsEdit,
            Permission::EmailsRead => Self::EmailsRead,
            Permission::EmailsEdit => Self::EmailsEdit,
            Permission::AuditRead => Self::AuditRead,
            Permission::SettingsRead => Self::SettingsRead,
            Permission::SettingsEdit => Self::SettingsEdit,
            Permission::PolicyRead => Self::PolicyRead,
            Permission::PolicyEdit => Self::PolicyEdit,
            Permission::StaffRead => Self::StaffRead,
            Permission::StaffEdit => Self::StaffEdit,
        }
    }
}

impl SessionInfo {
    /// Returns the view of the session of a user who turned second factors on at `mfa_enabled_at`, and whose tenant
    /// requires one from `mfa_due_at` on.
    fn new(
        session: &session::Model,
        mfa_enabled_at: Option<DateTime<Utc>>,
        mfa_due_at: Option<DateTime<Utc>>,
        owed_at: Option<DateTime<Utc>>,
    ) -> Self {
        let mfa =
            MfaInfo { enabled: mfa_enabled_at.is_some(), required: mfa_due_at.is_some(), due_at: Nullable(owed_at) };
        Self {
            id: session.id.0,
            created_at: session.created_at,
            expires_at: session.expires_at,
            auth_time: session.auth_time,
            method: Nullable(session.method.map(OneOf)),
            mfa_at: Nullable(session.mfa_at),
            mfa,
        }
    }

    /// Returns the view of the session of a portal user.
    ///
    /// # Errors
    /// `internal` if the sign-in policy of the tenant cannot be read.
    pub(crate) fn of_portal_user(caller: &PortalUser) -> Result<Self, Error> {
        let (enabled_at, due_at) = (caller.user.mfa_enabled_at, caller.mfa_due_at());
        Ok(Self::new(&caller.session, enabled_at, due_at, caller.mfa_owed_at()?))
    }

    /// Returns the view of the session of a staff user.
    ///
    /// # Errors
    /// `internal` if the sign-in policy of the tenant cannot be read.
    pub(crate) fn of_staff_user(caller: &StaffUser) -> Result<Self, Error> {
        let (enabled_at, due_at) = (caller.user.mfa_enabled_at, caller.mfa_due_at()?);
        Ok(Self::new(&caller.session, enabled_at, due_at, caller.mfa_owed_at()?))
    }
}

impl From<Challenge> for SignInChallenge {
    fn from(challenge: Challenge) -> Self {
        let status = match challenge.purpose {
            Purpose::Verify => ChallengeStatus::MfaRequired,
            Purpose::Enrol => ChallengeStatus::MfaEnrolmentRequired,
        };
        Self {
            status,
            challenge: challenge.secret.reveal().to_owned(),
            methods: challenge.methods.into_iter().map(OneOf).collect(),
            mail_code_required: challenge.needs_mail_code,
            trusted_device_days: challenge.trusted_device_days,
            expires_in: challenge.ttl.as_secs(),
        }
    }
}

impl From<&IssuedSession> for Session {
    fn from(issued: &IssuedSession) -> Self {
        Self {
            status: SignedInStatus::SignedIn,
            access_token: issued.tokens.access.reveal().to_owned(),
            token_type: TokenType::Bearer,
            expires_in: issued.tokens.expires_in,
            user: User::from(&issued.user),
            client: Nullable(Some(ClientSummary::from(&issued.active))),
        }
    }
}

/// Returns the response to a refresh of a portal session: the session, and its cookies.
pub(crate) fn session_response(app: &App, issued: IssuedSession) -> WithCookies<Json<Session>> {
    let cookies = session_cookies(app, Realm::Portal, &issued.tokens, &issued.session);
    WithCookies(Json(Session::from(&issued)), cookies)
}

/// Returns the response to a switch of the client: the session, and the cookie of its access token.
///
/// The refresh token stays as it is. The response does not repeat it, because the request proves an access token only,
/// and a copied access token must not give a refresh token.
pub(crate) fn switched_session_response(app: &App, issued: &IssuedSession) -> WithCookies<Json<Session>> {
    let Tokens { access, expires_in, .. } = &issued.tokens;
    let cookie = Cookie::Access(Realm::Portal).set_cookie_header(app.settings(), access.reveal(), *expires_in);
    WithCookies(Json(Session::from(issued)), cookie.into_iter().collect())
}

/// Returns the response to a right first factor of a portal user: as [`opened_response`], or the challenge without any
/// cookie.
pub(crate) fn sign_in_response(app: &App, outcome: SignInOutcome<IssuedSession>) -> WithCookies<Json<SignInResult>> {
    match outcome {
        SignInOutcome::SignedIn(issued) => {
            let WithCookies(Json(session), cookies) = opened_response(app, issued);
            WithCookies(Json(SignInResult::Session(session)), cookies)
        }
        SignInOutcome::Challenged(challenge) => {
            WithCookies(Json(SignInResult::SignInChallenge(challenge.into())), Vec::new())
        }
    }
}

/// Returns the response to a right first factor of a staff user: as [`opened_staff_response`], or the challenge without
/// any cookie.
pub(crate) fn staff_sign_in_response(
    app: &App,
    outcome: SignInOutcome<IssuedStaffSession>,
) -> WithCookies<Json<StaffSignInResult>> {
    match outcome {
        SignInOutcome::SignedIn(issued) => {
            let WithCookies(Json(session), cookies) = opened_staff_response(app, issued);
            WithCookies(Json(StaffSignInResult::StaffSession(session)), cookies)
        }
        SignInOutcome::Challenged(challenge) => {
            WithCookies(Json(StaffSignInResult::SignInChallenge(challenge.into())), Vec::new())
        }
    }
}

/// Returns the response that opens a session of a portal user: as [`session_response`], and a cookie that makes the
/// browser a known device.
pub(crate) fn opened_response(app: &App, issued: IssuedSession) -> WithCookies<Json<Session>> {
    let device = cookies::device_cookie(app, Realm::Portal, &issued.user.email, issued.session.created_at);
    let mut response = session_response(app, issued);
    response.1.extend(device);
    response
}

/// Returns the response that opens a session of a staff user: as [`staff_session_response`], and a cookie that makes
/// the browser a known device.
pub(crate) fn opened_staff_response(app: &App, issued: IssuedStaffSession) -> WithCookies<Json<StaffSession>> {
    let device = cookies::device_cookie(app, Realm::Staff, &issued.user.email, issued.session.created_at);
    let mut response = staff_session_response(app, issued);
    response.1.extend(device);
    response
}

/// Returns the response to a refresh of a staff session: the session, and its cookies.
pub(crate) fn staff_session_response(app: &App, issued: IssuedStaffSession) -> WithCookies<Json<StaffSession>> {
    let cookies = session_cookies(app, Realm::Staff, &issued.tokens, &issued.session);
    let body = StaffSession {
        status: SignedInStatus::SignedIn,
        access_token: issued.tokens.access.reveal().to_owned(),
        token_type: TokenType::Bearer,
        expires_in: issued.tokens.expires_in,
        user: StaffUserView::new(&issued.user, &issued.tenant),
    };
    WithCookies(Json(body), cookies)
}

/// Returns the cookies of a session. The refresh cookie lives until the session expires.
fn session_cookies(app: &App, realm: Realm, tokens: &Tokens, session: &session::Model) -> Vec<HeaderValue> {
    let remaining_seconds = (session.expires_at - app.now()).num_seconds().max(0);
    cookies::session_cookies(app, realm, tokens, remaining_seconds.unsigned_abs())
}
