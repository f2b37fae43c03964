//! `/api/v1/invitations` and `/api/v1/clients/{client_id}/invitations`: the invitations of the tenant and of one
//! client. Called by staff users.

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use portico_domain::{
    entity::{ClientId, client},
    platform::{
        actor::access::ClientsRead,
        app::App,
        page::{Page, PageRequest},
        search::SearchText,
    },
    tenancy::invitations::{self, InvitationFilter, ListedInvitation},
};
use uuid::Uuid;

use crate::{
    http::{
        auth::Authorized,
        error::{ApiResult, codes},
        fields::Field,
        nullable::Nullable,
        page,
        tags::Tag,
    },
    tenancy::invitations::{DeliveryStatus, Invitation, InvitationStatus},
};

/// The operations of the tag `invitations` that list.
pub(crate) struct InvitationLists;

/// A page of the invitations to a client, newest first.
#[derive(Object)]
pub(super) struct InvitationList {
    /// The invitations of this page.
    data: Vec<Invitation>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

/// A page of the invitations of a tenant, newest first.
#[derive(Object)]
struct TenantInvitationList {
    /// The invitations of this page.
    data: Vec<TenantInvitation>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

/// An invitation, with its client.
#[derive(Object)]
struct TenantInvitation {
    /// The invitation.
    #[oai(flatten)]
    invitation: Invitation,
    /// The client to which the user is invited.
    client: InvitationClient,
}

/// The client of an invitation.
#[derive(Object)]
struct InvitationClient {
    /// The id of the client (UUIDv7).
    id: Uuid,
    /// The name, 1 to 100 characters.
    name: String,
}

impl From<client::Model> for InvitationClient {
    fn from(client: client::Model) -> Self {
        Self { id: client.id.0, name: client.name }
    }
}

impl From<ListedInvitation> for Invitation {
    fn from(listed: ListedInvitation) -> Self {
        Self::new(listed.invitation, listed.delivery)
    }
}

impl From<Page<ListedInvitation>> for InvitationList {
    fn from(page: Page<ListedInvitation>) -> Self {
        let Page { data, next_cursor } = page.map(Into::into);
        Self { data, next_cursor: Nullable(next_cursor) }
    }
}

impl From<ListedInvitation> for TenantInvitation {
    fn from(listed: ListedInvitation) -> Self {
        Self { client: listed.client.clone().into(), invitation: listed.into() }
    }
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Invitations")]
impl InvitationLists {
    /// List the invitations of the tenant
    ///
    /// Returns the invitations to all clients of the caller's tenant, newest first. Every staff role may call this.
    #[oai(path = "/invitations", method = "get", operation_id = "list_invitations")]
    #[expect(clippy::too_many_arguments, reason = "each query parameter is an argument")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsRead>,
        /// The largest number of invitations on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
        /// Only invitations with an address, or a word of the name, that begins with this text, in any letter case: 2
        /// to 254 characters.
        q: Query<Option<Field<SearchText>>>,
        /// Only invitations with this status.
        status: Query<Option<InvitationStatus>>,
        /// Only invitations whose latest mail has this status.
        delivery: Query<Option<DeliveryStatus>>,
    ) -> ApiResult<Json<TenantInvitationList>, 0> {
        let filter = filter(q.0, status.0, delivery.0);
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        let Page { data, next_cursor } = invitations::list(app, &caller, &filter, &page).await?.map(Into::into);
        Ok(Json(TenantInvitationList { data, next_cursor: Nullable(next_cursor) }))
    }

    /// List the invitations to a client
    ///
    /// Returns the invitations to one client of the caller's tenant, newest first. Every staff role may call this.
    #[oai(path = "/clients/:client_id/invitations", method = "get", operation_id = "list_client_invitations")]
    #[expect(clippy::too_many_arguments, reason = "each query parameter is an argument")]
    async fn list_of_client(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsRead>,
        /// The id of the client.
        client_id: Path<Field<ClientId>>,
        /// The largest number of invitations on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
        /// Only invitations with an address, or a word of the name, that begins with this text, in any letter case: 2
        /// to 254 characters.
        q: Query<Option<Field<SearchText>>>,
        /// Only invitations with this status.
        status: Query<Option<InvitationStatus>>,
        /// Only invitations whose latest mail has this status.
        delivery: Query<Option<DeliveryStatus>>,
    ) -> ApiResult<Json<InvitationList>, { codes::NOT_FOUND }> {
        let filter = filter(q.0, status.0, delivery.0);
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        let found = invitations::list_at(app, &caller, client_id.0.0, &filter, &page).await?;
        Ok(Json(found.into()))
    }
}

fn filter(
    q: Option<Field<SearchText>>,
    status: Option<InvitationStatus>,
    delivery: Option<DeliveryStatus>,
) -> InvitationFilter {
    InvitationFilter {
        search: q.map(|Field(text)| text),
        status: status.map(Into::into),
        delivery: delivery.map(Into::into),
    }
}
