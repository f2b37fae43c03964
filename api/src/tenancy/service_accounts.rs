//! `/api/v1/service-accounts`: the service accounts of the tenant, and their API tokens. Called by staff users.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use portico_domain::{
    entity::{ApiTokenId, ServiceAccountId, service_account},
    platform::{
        actor::access::{StaffEdit, StaffRead},
        app::App,
        name::Name,
        page::{Page, PageRequest},
    },
    tenancy::service_accounts::{self, NewServiceAccount, ServiceRole},
};
use uuid::Uuid;

use crate::{
    http::{
        auth::Authorized,
        body::Body,
        error::{ApiResult, codes},
        fields::Field,
        nullable::Nullable,
        page,
        response::{Created, NoContent},
        tags::Tag,
    },
    tenancy::{
        api_tokens::{ApiTokenList, CreateApiToken, CreatedApiToken},
        views::StaffRole,
    },
};

/// The operations of the tag `service accounts`.
pub(crate) struct ServiceAccounts;

/// A service account: the account of a program. It has no address and does not sign in.
#[derive(Object)]
struct ServiceAccount {
    /// The id of the service account (UUIDv7).
    id: Uuid,
    /// The name, 1 to 100 characters.
    name: String,
    /// The role, which bounds the scopes of its tokens. Never `owner`.
    role: StaffRole,
    /// When the service account was created (RFC 3339, UTC).
    created_at: DateTime<Utc>,
}

/// A page of service accounts, oldest first.
#[derive(Object)]
struct ServiceAccountList {
    /// The service accounts of this page.
    data: Vec<ServiceAccount>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

/// A new service account.
#[derive(Object)]
struct CreateServiceAccount {
    /// The name, which says what the program does: 1 to 100 characters.
    name: Field<Name>,
    /// The role, which bounds the scopes of its tokens.
    role: ServiceAccountRole,
}

/// The role of a service account: the role of a staff user, but never `owner`.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
enum ServiceAccountRole {
    /// Has all permissions but `staff:edit`.
    Admin,
    /// Works with clients and mails.
    Support,
    /// May read everything.
    Viewer,
}

impl From<ServiceAccountRole> for ServiceRole {
    fn from(role: ServiceAccountRole) -> Self {
        match role {
            ServiceAccountRole::Admin => Self::Admin,
            ServiceAccountRole::Support => Self::Support,
            ServiceAccountRole::Viewer => Self::Viewer,
        }
    }
}

impl From<service_account::Model> for ServiceAccount {
    fn from(account: service_account::Model) -> Self {
        Self { id: account.id.0, name: account.name, role: account.role.into(), created_at: account.created_at }
    }
}

#[OpenApi(prefix_path = "/api/v1/service-accounts", tag = "Tag::ServiceAccounts")]
impl ServiceAccounts {
    /// List service accounts
    ///
    /// Returns the service accounts of the caller's tenant, oldest first.
    #[oai(path = "/", method = "get", operation_id = "list_service_accounts")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<StaffRead>,
        /// The largest number of service accounts on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<ServiceAccountList>, 0> {
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        let Page { data, next_cursor } = service_accounts::list(app, &caller, &page).await?.map(Into::into);
        Ok(Json(ServiceAccountList { data, next_cursor: Nullable(next_cursor) }))
    }

    /// Create a service account
    ///
    /// Creates a service account in the caller's tenant. It stays when the staff user who created it is removed.
    #[oai(path = "/", method = "post", operation_id = "create_service_account")]
    async fn create(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<StaffEdit>,
        Body(body): Body<CreateServiceAccount>,
    ) -> ApiResult<Created<ServiceAccount>, 0> {
        let new = NewServiceAccount { name: body.name.0, role: body.role.into() };
        Ok(Created(service_accounts::create(app, &caller, new).await?.into()))
    }

    /// Remove a service account
    ///
    /// Removes a service account of the caller's tenant. Its API tokens are refused at their next request.
    #[oai(path = "/:account_id", method = "delete", operation_id = "remove_service_account")]
    async fn remove(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<StaffEdit>,
        /// The id of the service account.
        account_id: Path<Field<ServiceAccountId>>,
    ) -> ApiResult<NoContent, { codes::NOT_FOUND }> {
        service_accounts::remove(app, &caller, account_id.0.0).await?;
        Ok(NoContent)
    }

    /// List the API tokens of a service account
    ///
    /// Returns the API tokens of a service account, oldest first. Revoked tokens are not listed.
    #[oai(path = "/:account_id/tokens", method = "get", operation_id = "list_service_account_tokens")]
    async fn list_tokens(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<StaffRead>,
        /// The id of the service account.
        account_id: Path<Field<ServiceAccountId>>,
        /// The largest number of tokens on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<ApiTokenList>, { codes::NOT_FOUND }> {
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        Ok(Json(service_accounts::list_tokens(app, &caller, account_id.0.0, &page).await?.into()))
    }

    /// Create an API token of a service account
    ///
    /// Creates an API token of a service account. All owners of the tenant get a notice by mail. The response is 422
    /// with the field code `scope_not_allowed` if the role of the service account does not give one of the scopes, and
    /// 409 `conflict` if it has 100 tokens.
    #[oai(path = "/:account_id/tokens", method = "post", operation_id = "create_service_account_token")]
    async fn create_token(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<StaffEdit>,
        /// The id of the service account.
        account_id: Path<Field<ServiceAccountId>>,
        Body(body): Body<CreateApiToken>,
    ) -> ApiResult<Created<CreatedApiToken>, { codes::NOT_FOUND | codes::CONFLICT }> {
        let token = service_accounts::create_token(app, &caller, account_id.0.0, body.into()).await?;
        Ok(Created(token.into()))
    }

    /// Revoke an API token of a service account
    ///
    /// Revokes an API token of a service account. It is refused at its next request.
    #[oai(path = "/:account_id/tokens/:token_id", method = "delete", operation_id = "revoke_service_account_token")]
    async fn revoke_token(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<StaffEdit>,
        /// The id of the service account.
        account_id: Path<Field<ServiceAccountId>>,
        /// The id of the token.
        token_id: Path<Field<ApiTokenId>>,
    ) -> ApiResult<NoContent, { codes::NOT_FOUND }> {
        service_accounts::revoke_token(app, &caller, account_id.0.0, token_id.0.0).await?;
        Ok(NoContent)
    }
}
