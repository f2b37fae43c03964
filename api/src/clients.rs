//! `/api/v1/clients`: the tenant's customers.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::MaybeUndefined,
};
use portico_domain::{
    app::App,
    clients::{self, ClientChange, ExternalRef, NewClient},
    entity::{ClientId, client},
    name::Name,
};
use uuid::Uuid;

use crate::{
    auth::StaffUser,
    body::Body,
    error::{ApiResult, status},
    fields::Field,
    nullable::Nullable,
    response::Created,
    tags::Tag,
};

pub(crate) struct Clients;

/// A customer of the tenant.
#[derive(Object)]
struct Client {
    /// Its id.
    id: Uuid,
    /// What it is called.
    name: String,
    /// The tenant's own number for it.
    external_ref: Nullable<String>,
    /// Where it stands.
    status: ClientStatus,
    /// When it was made.
    created_at: DateTime<Utc>,
}

/// Where a client stands. An archived client lets nobody in and keeps its data.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
enum ClientStatus {
    Active,
    PastDue,
    Archived,
}

/// A page of clients, oldest first.
#[derive(Object)]
struct ClientList {
    /// What is on it.
    data: Vec<Client>,
    /// Where the next page begins; null on the last.
    next_cursor: Nullable<String>,
}

/// A client to be made.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct CreateClient {
    /// What it is called.
    name: Field<Name>,
    /// The tenant's own number for it, unique within the tenant.
    external_ref: MaybeUndefined<Nullable<Field<ExternalRef>>>,
}

/// What to change about a client; what is left out stays.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct UpdateClient {
    /// What it is called.
    name: Option<Field<Name>>,
    /// The tenant's own number for it; null takes it away.
    external_ref: MaybeUndefined<Nullable<Field<ExternalRef>>>,
    /// Where it stands. Archiving ends every session at the client.
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
    #[oai(path = "/", method = "get", operation_id = "list_clients")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: StaffUser,
        /// How many at most.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<ClientList>, { status::UNAUTHORIZED }> {
        let page = clients::list(app, &caller, limit.0, cursor.0.as_deref()).await?;
        let data = page.data.into_iter().map(Into::into).collect();
        Ok(Json(ClientList { data, next_cursor: Nullable(page.next_cursor) }))
    }

    /// Make a client
    #[oai(path = "/", method = "post", operation_id = "create_client")]
    async fn create(
        &self,
        Data(app): Data<&App>,
        caller: StaffUser,
        Body(body): Body<CreateClient>,
    ) -> ApiResult<Created<Client>, { status::UNSUPPORTED_MEDIA_TYPE | status::UNAUTHORIZED | status::CONFLICT }> {
        let new = NewClient { name: body.name.0, external_ref: given(body.external_ref).flatten() };
        Ok(Created(clients::create(app, &caller, new).await?.into()))
    }

    /// See a client
    #[oai(path = "/:client_id", method = "get", operation_id = "get_client")]
    async fn get(
        &self,
        Data(app): Data<&App>,
        caller: StaffUser,
        /// Its id.
        client_id: Path<Field<ClientId>>,
    ) -> ApiResult<Json<Client>, { status::UNAUTHORIZED | status::NOT_FOUND }> {
        Ok(Json(clients::get(app, &caller, client_id.0.0).await?.into()))
    }

    /// Change a client
    ///
    /// Archiving lets nobody in any more, at once; restoring revives no session.
    #[oai(path = "/:client_id", method = "patch", operation_id = "update_client")]
    async fn update(
        &self,
        Data(app): Data<&App>,
        caller: StaffUser,
        /// Its id.
        client_id: Path<Field<ClientId>>,
        Body(body): Body<UpdateClient>,
    ) -> ApiResult<
        Json<Client>,
        { status::UNSUPPORTED_MEDIA_TYPE | status::UNAUTHORIZED | status::NOT_FOUND | status::CONFLICT },
    > {
        let change = ClientChange {
            name: body.name.map(|Field(name)| name),
            external_ref: given(body.external_ref),
            status: body.status.map(Into::into),
        };
        Ok(Json(clients::change(app, &caller, client_id.0.0, change).await?.into()))
    }
}

/// What was given: nothing, null, or a number.
fn given(external_ref: MaybeUndefined<Nullable<Field<ExternalRef>>>) -> Option<Option<ExternalRef>> {
    match external_ref {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(Nullable(number)) => Some(number.map(|Field(number)| number)),
    }
}

const fn default_limit() -> u64 {
    25
}
