//! `/api/staff/tokens`, `/api/v1/tokens` and `/api/v1/token`: API tokens. Called by staff users, and the last also by
//! programs.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use portico_domain::{
    entity::{ApiTokenId, api_token, tenant},
    platform::{
        actor::{Permission, Scopes, TokenOwner, access::StaffEditNotFresh},
        app::App,
        name::Name,
        page::{Page, PageRequest},
    },
    tenancy::api_tokens::{self, DEFAULT_DAYS, IssuedToken, NewApiToken, OwnedToken},
};
use uuid::Uuid;

use crate::{
    http::{
        auth::{Authorized, FreshStaffUser, StaffUser, TenantCaller},
        body::Body,
        error::{ApiResult, codes},
        fields::Field,
        nullable::Nullable,
        page,
        response::{Created, NoContent},
        tags::Tag,
    },
    tenancy::views::{StaffRole, Tenant},
};

/// The operations of the tag `api tokens` on the staff user's own tokens.
pub(crate) struct OwnTokens;

/// The operations of the tag `api tokens` on all tokens of the tenant, and on the presented one.
pub(crate) struct ApiTokens;

/// An API token, without its secret.
#[derive(Object)]
pub(crate) struct ApiToken {
    /// The id of the token (UUIDv7).
    id: Uuid,
    /// The name that its owner gave the token.
    name: String,
    /// The first 12 characters of the token, by which people recognise it.
    prefix: String,
    /// The permissions that the token may use, as far as the role of its owner gives them.
    scopes: Vec<TokenScope>,
    /// When the token was created (RFC 3339, UTC).
    created_at: DateTime<Utc>,
    /// When the token expires (RFC 3339, UTC). An expired token is listed for 30 more days.
    expires_at: DateTime<Utc>,
    /// When the token was last used (RFC 3339, UTC), to about a minute; `null` if never.
    last_used_at: Nullable<DateTime<Utc>>,
}

/// An API token that was just created. This is the only response that contains the token itself.
#[derive(Object)]
pub(crate) struct CreatedApiToken {
    /// The id of the token (UUIDv7).
    id: Uuid,
    /// The name that its owner gave the token.
    name: String,
    /// The first 12 characters of the token, by which people recognise it.
    prefix: String,
    /// The permissions that the token may use, as far as the role of its owner gives them.
    scopes: Vec<TokenScope>,
    /// When the token was created (RFC 3339, UTC).
    created_at: DateTime<Utc>,
    /// When the token expires (RFC 3339, UTC).
    expires_at: DateTime<Utc>,
    /// Always `null`.
    last_used_at: Nullable<DateTime<Utc>>,
    /// The token, for the header `Authorization: Bearer …`: `pat_`, 40 random characters and a checksum of 6
    /// characters. Portico does not keep it.
    token: String,
}

/// An API token with its owner, without its secret.
#[derive(Object)]
struct OwnedApiToken {
    /// The id of the token (UUIDv7).
    id: Uuid,
    /// The name that its owner gave the token.
    name: String,
    /// The first 12 characters of the token, by which people recognise it.
    prefix: String,
    /// The permissions that the token may use, as far as the role of its owner gives them.
    scopes: Vec<TokenScope>,
    /// When the token was created (RFC 3339, UTC).
    created_at: DateTime<Utc>,
    /// When the token expires (RFC 3339, UTC).
    expires_at: DateTime<Utc>,
    /// When the token was last used (RFC 3339, UTC), to about a minute; `null` if never.
    last_used_at: Nullable<DateTime<Utc>>,
    /// Whose token it is.
    owner: ApiTokenOwner,
}

/// The API token that a program has presented.
#[derive(Object)]
struct PresentedApiToken {
    /// The id of the token (UUIDv7).
    id: Uuid,
    /// The name that its owner gave the token.
    name: String,
    /// The first 12 characters of the token, by which people recognise it.
    prefix: String,
    /// The permissions that the token may use, as far as `role` gives them.
    scopes: Vec<TokenScope>,
    /// When the token was created (RFC 3339, UTC).
    created_at: DateTime<Utc>,
    /// When the token expires (RFC 3339, UTC).
    expires_at: DateTime<Utc>,
    /// When the token was last used (RFC 3339, UTC), to about a minute; `null` if never.
    last_used_at: Nullable<DateTime<Utc>>,
    /// Whose token it is.
    owner: ApiTokenOwner,
    /// The role of the owner.
    role: StaffRole,
    /// The tenant for which the token acts.
    tenant: Tenant,
}

/// The owner of an API token.
#[derive(Object)]
struct ApiTokenOwner {
    /// Whether it is a person or a program.
    kind: ApiTokenOwnerKind,
    /// The id of the staff user or the service account (UUIDv7).
    id: Uuid,
    /// The name of the staff user or the service account.
    name: String,
}

/// Whether the owner of an API token is a person or a program.
///
/// - `person`: a staff user. The token is a personal access token.
/// - `service`: a service account.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
enum ApiTokenOwnerKind {
    /// A staff user.
    Person,
    /// A service account.
    Service,
}

/// A permission that an API token can have.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenScope {
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
}

/// A page of API tokens, oldest first.
#[derive(Object)]
pub(crate) struct ApiTokenList {
    /// The tokens of this page.
    data: Vec<ApiToken>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

/// A page of API tokens with their owners, oldest first.
#[derive(Object)]
struct OwnedApiTokenList {
    /// The tokens of this page.
    data: Vec<OwnedApiToken>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

/// A new API token.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct CreateApiToken {
    /// What the owner calls the token, 1 to 100 characters.
    name: Field<Name>,
    /// The permissions that the token may use. The role of its owner must give each of them.
    #[oai(validator(min_items = 1, max_items = 20))]
    scopes: Vec<TokenScope>,
    /// How long the token is valid, in days: 1 to 365. The default is 90.
    #[oai(validator(minimum(value = "1"), maximum(value = "365")))]
    expires_in_days: Option<u16>,
}

impl From<TokenScope> for Permission {
    fn from(scope: TokenScope) -> Self {
        match scope {
            TokenScope::ClientsRead => Self::ClientsRead,
            TokenScope::ClientsEdit => Self::ClientsEdit,
            TokenScope::EmailsRead => Self::EmailsRead,
            TokenScope::EmailsEdit => Self::EmailsEdit,
            TokenScope::AuditRead => Self::AuditRead,
            TokenScope::SettingsRead => Self::SettingsRead,
        }
    }
}

/// Returns the scopes of a token.
fn scopes(text: &str) -> Vec<TokenScope> {
    let scope = |permission: &Permission| match permission {
        Permission::ClientsRead => Some(TokenScope::ClientsRead),
        Permission::ClientsEdit => Some(TokenScope::ClientsEdit),
        Permission::EmailsRead => Some(TokenScope::EmailsRead),
        Permission::EmailsEdit => Some(TokenScope::EmailsEdit),
        Permission::AuditRead => Some(TokenScope::AuditRead),
        Permission::SettingsRead => Some(TokenScope::SettingsRead),
        Permission::SettingsEdit
        | Permission::PolicyRead
        | Permission::PolicyEdit
        | Permission::StaffRead
        | Permission::StaffEdit => None,
    };
    Scopes::stored(text).permissions().iter().filter_map(scope).collect()
}

impl From<CreateApiToken> for NewApiToken {
    fn from(body: CreateApiToken) -> Self {
        let permissions: Vec<_> = body.scopes.into_iter().map(Permission::from).collect();
        let days = body.expires_in_days.unwrap_or(DEFAULT_DAYS);
        Self { name: body.name.0, scopes: Scopes::new(&permissions), days }
    }
}

impl From<api_token::Model> for ApiToken {
    fn from(token: api_token::Model) -> Self {
        Self {
            id: token.id.0,
            scopes: scopes(&token.scopes),
            name: token.name,
            prefix: token.prefix,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: Nullable(token.last_used_at),
        }
    }
}

impl From<IssuedToken> for CreatedApiToken {
    fn from(IssuedToken { row, secret }: IssuedToken) -> Self {
        let ApiToken { id, name, prefix, scopes, created_at, expires_at, last_used_at } = row.into();
        let token = secret.reveal().to_owned();
        Self { id, name, prefix, scopes, created_at, expires_at, last_used_at, token }
    }
}

impl From<OwnedToken> for OwnedApiToken {
    fn from(OwnedToken { row, owner }: OwnedToken) -> Self {
        let ApiToken { id, name, prefix, scopes, created_at, expires_at, last_used_at } = row.into();
        let owner = match owner {
            TokenOwner::StaffUser(user) => {
                ApiTokenOwner { kind: ApiTokenOwnerKind::Person, id: user.id.0, name: user.name }
            }
            TokenOwner::ServiceAccount(account) => {
                ApiTokenOwner { kind: ApiTokenOwnerKind::Service, id: account.id.0, name: account.name }
            }
        };
        Self { id, name, prefix, scopes, created_at, expires_at, last_used_at, owner }
    }
}

impl PresentedApiToken {
    fn new(token: OwnedToken, tenant: &tenant::Model) -> Self {
        let role = token.owner.role().into();
        let OwnedApiToken { id, name, prefix, scopes, created_at, expires_at, last_used_at, owner } = token.into();
        let tenant = tenant.into();
        Self { id, name, prefix, scopes, created_at, expires_at, last_used_at, owner, role, tenant }
    }
}

impl From<Page<api_token::Model>> for ApiTokenList {
    fn from(page: Page<api_token::Model>) -> Self {
        let Page { data, next_cursor } = page.map(Into::into);
        Self { data, next_cursor: Nullable(next_cursor) }
    }
}

#[OpenApi(prefix_path = "/api/staff/tokens", tag = "Tag::ApiTokens")]
impl OwnTokens {
    /// List the own API tokens
    ///
    /// Returns the personal access tokens of the signed-in staff user, oldest first. Revoked tokens are not listed.
    #[oai(path = "/", method = "get", operation_id = "list_own_tokens")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: StaffUser,
        /// The largest number of tokens on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<ApiTokenList>, 0> {
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        Ok(Json(api_tokens::list_own(app, &caller, &page).await?.into()))
    }

    /// Create an API token
    ///
    /// Creates a personal access token of the signed-in staff user, who gets a notice by mail. The token is valid for
    /// `/api/v1` only. It can use the permissions that its scopes name, as far as the role of the staff user gives them
    /// at the time of use. The response is 422 with the field code `scope_not_allowed` if the role does not give one of
    /// the scopes now, and 409 `conflict` if the staff user has 100 tokens.
    #[oai(path = "/", method = "post", operation_id = "create_own_token")]
    async fn create(
        &self,
        Data(app): Data<&App>,
        caller: FreshStaffUser,
        Body(body): Body<CreateApiToken>,
    ) -> ApiResult<Created<CreatedApiToken>, { codes::CONFLICT }> {
        Ok(Created(api_tokens::create(app, &caller, body.into()).await?.into()))
    }

    /// Revoke an own API token
    ///
    /// Revokes a personal access token of the signed-in staff user. It is refused at its next request.
    #[oai(path = "/:token_id", method = "delete", operation_id = "revoke_own_token")]
    async fn revoke(
        &self,
        Data(app): Data<&App>,
        caller: StaffUser,
        /// The id of the token.
        token_id: Path<Field<ApiTokenId>>,
    ) -> ApiResult<NoContent, { codes::NOT_FOUND }> {
        api_tokens::revoke_own(app, &caller, token_id.0.0).await?;
        Ok(NoContent)
    }
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::ApiTokens")]
impl ApiTokens {
    /// List all API tokens
    ///
    /// Returns the API tokens of all staff users and service accounts of the caller's tenant, oldest first. Revoked
    /// tokens are not listed.
    #[oai(path = "/tokens", method = "get", operation_id = "list_tokens")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<StaffEditNotFresh>,
        /// The largest number of tokens on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<OwnedApiTokenList>, 0> {
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        let Page { data, next_cursor } = api_tokens::list(app, &caller, &page).await?.map(Into::into);
        Ok(Json(OwnedApiTokenList { data, next_cursor: Nullable(next_cursor) }))
    }

    /// Revoke any API token
    ///
    /// Revokes an API token of a staff user or service account of the caller's tenant. It is refused at its next
    /// request. The session need not be fresh, so that a leaked token can be revoked without delay.
    #[oai(path = "/tokens/:token_id", method = "delete", operation_id = "revoke_token")]
    async fn revoke(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<StaffEditNotFresh>,
        /// The id of the token.
        token_id: Path<Field<ApiTokenId>>,
    ) -> ApiResult<NoContent, { codes::NOT_FOUND }> {
        api_tokens::revoke(app, &caller, token_id.0.0).await?;
        Ok(NoContent)
    }

    /// Get the presented API token
    ///
    /// Returns the API token of the request, with its tenant and the role of its owner. It needs no permission. The
    /// response is 404 `not_found` if the request has the credential of a session.
    #[oai(path = "/token", method = "get", operation_id = "get_presented_token")]
    async fn presented(&self, caller: TenantCaller) -> ApiResult<Json<PresentedApiToken>, { codes::NOT_FOUND }> {
        Ok(Json(PresentedApiToken::new(api_tokens::presented(&caller)?, &caller.tenant)))
    }

    /// Revoke the presented API token
    ///
    /// Revokes the API token of the request. It needs no permission. The response is 404 `not_found` if the request has
    /// the credential of a session.
    #[oai(path = "/token", method = "delete", operation_id = "revoke_presented_token")]
    async fn revoke_presented(
        &self,
        Data(app): Data<&App>,
        caller: TenantCaller,
    ) -> ApiResult<NoContent, { codes::NOT_FOUND }> {
        api_tokens::revoke_presented(app, &caller).await?;
        Ok(NoContent)
    }
}
