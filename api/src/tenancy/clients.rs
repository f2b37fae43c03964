//! `/api/v1/clients`: the clients of the tenant. Called by staff users.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::MaybeUndefined,
};
use portico_domain::{
    entity::{ClientId, client},
    platform::{
        actor::access::{ClientsEdit, ClientsRead},
        app::App,
        name::Name,
        page::{Page, PageRequest},
        search::SearchText,
    },
    tenancy::clients::{self, ClientChange, ClientFilter, ExternalRef, NewClient},
};
use uuid::Uuid;

use crate::http::{
    auth::Authorized,
    body::Body,
    error::{ApiResult, codes},
    fields::Field,
    nullable::Nullable,
    page,
    response::Created,
    tags::Tag,
};

/// The operations of the tag `clients`.
pub(crate) struct Clients;

/// A client: a customer of the tenant.
#[derive(Object)]
struct Client {
    /// The id of the client (UUIDv7).
    id: Uuid,
    /// The name, 1 to 100 characters.
    name: String,
    /// The tenant's own reference for the client, such as a customer number; `null` if there is none.
    external_ref: Nullable<String>,
    /// The status.
    status: ClientStatus,
    /// When the client was created (RFC 3339, UTC).
    created_at: DateTime<Utc>,
}

/// The status of a client.
///
/// - `active`: portal users can act for the client.
/// - `past_due`: the client is marked as past due; its portal users can still act for it.
/// - `archived`: portal users cannot act for the client and nothing is mailed for it. Its data stays.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
enum ClientStatus {
    /// Portal users can act for the client.
    Active,
    /// As `Active`, and marked as past due.
    PastDue,
    /// Portal users cannot act for the client.
    Archived,
}

/// A page of clients, oldest first.
#[derive(Object)]
struct ClientList {
    /// The clients of this page.
    data: Vec<Client>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

/// A new client.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct CreateClient {
    /// The name, 1 to 100 characters.
    name: Field<Name>,
    /// The tenant's own reference for the client, such as a customer number: 1 to 100 characters, unique within the
    /// tenant.
    external_ref: MaybeUndefined<Nullable<Field<ExternalRef>>>,
}

/// The fields of a client to change. An absent field keeps its value.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct UpdateClient {
    /// The new name, 1 to 100 characters.
    name: Option<Field<Name>>,
    /// The tenant's own reference for the client: 1 to 100 characters, unique within the tenant. `null` removes it.
    external_ref: MaybeUndefined<Nullable<Field<ExternalRef>>>,
    /// The new status. `archived` revokes every session at the client.
    status: Option<ClientStatus>,
}

impl From<client::Model> for Client {
    fn from(client: client::Model) -> Self {
        Self {
            id: client.id.0,
            name: client.name,
            external_ref: Nullable(client.external_ref),
            status: match client.status {
                client::Status::Active => ClientStatus::Active,
                client::Status::PastDue => ClientStatus::PastDue,
                client::Status::Archived => ClientStatus::Archived,
            },
            created_at: client.created_at,
        }
    }
}

impl From<ClientStatus> for client::Status {
    fn from(status: ClientStatus) -> Self {
        match status {
            ClientStatus::Active => Self::Active,
            ClientStatus::PastDue => Self::PastDue,
            ClientStatus::Archived => Self::Archived,
        }
    }
}

#[OpenApi(prefix_path = "/api/v1/clients", tag = "Tag::Clients")]
impl Clients {
    /// List clients
    ///
    /// Returns the clients of the caller's tenant, oldest first.
    #[oai(path = "/", method = "get", operation_id = "list_clients")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsRead>,
        /// The largest number of clients on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
        /// Only clients with a word of the name, or an external reference, that begins with this text, in any letter
        /// case: 2 to 254 characters.
        q: Query<Option<Field<SearchText>>>,
        /// Only clients with this status.
        status: Query<Option<ClientStatus>>,
    ) -> ApiResult<Json<ClientList>, 0> {
        let filter = ClientFilter { search: q.0.map(|Field(text)| text), status: status.0.map(Into::into) };
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        let Page { data, next_cursor } = clients::list(app, &caller, &filter, &page).await?.map(Into::into);
        Ok(Json(ClientList { data, next_cursor: Nullable(next_cursor) }))
    }

    /// Create a client
    ///
    /// Creates an active client in the caller's tenant.
    #[oai(path = "/", method = "post", operation_id = "create_client")]
    async fn create(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsEdit>,
        Body(body): Body<CreateClient>,
    ) -> ApiResult<Created<Client>, { codes::CONFLICT }> {
        let new = NewClient { name: body.name.0, external_ref: to_change(body.external_ref).flatten() };
        Ok(Created(clients::create(app, &caller, new).await?.into()))
    }

    /// Get a client
    ///
    /// Returns one client of the caller's tenant.
    #[oai(path = "/:client_id", method = "get", operation_id = "get_client")]
    async fn get(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsRead>,
        /// The id of the client.
        client_id: Path<Field<ClientId>>,
    ) -> ApiResult<Json<Client>, { codes::NOT_FOUND }> {
        Ok(Json(clients::get(app, &caller, client_id.0.0).await?.into()))
    }

    /// Update a client
    ///
    /// Changes the given fields of a client. Archiving a client immediately revokes the sessions at the client and
    /// stops its queued mails. Restoring a client does not restore its sessions.
    #[oai(path = "/:client_id", method = "patch", operation_id = "update_client")]
    async fn update(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsEdit>,
        /// The id of the client.
        client_id: Path<Field<ClientId>>,
        Body(body): Body<UpdateClient>,
    ) -> ApiResult<Json<Client>, { codes::NOT_FOUND | codes::CONFLICT }> {
        let change = ClientChange {
            name: body.name.map(|Field(name)| name),
            external_ref: to_change(body.external_ref),
            status: body.status.map(Into::into),
        };
        Ok(Json(clients::change(app, &caller, client_id.0.0, change).await?.into()))
    }
}

/// Returns `None` for an absent field, `Some(None)` for `null`, and the value otherwise.
fn to_change(external_ref: MaybeUndefined<Nullable<Field<ExternalRef>>>) -> Option<Option<ExternalRef>> {
    match external_ref {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(Nullable(reference)) => Some(reference.map(|Field(reference)| reference)),
    }
}
