//! `/api/v1/clients/{client_id}/portal-users` and `/api/v1/portal-users`: the portal users of a client and of the
//! tenant. Called by staff users.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use portico_domain::{
    entity::{ClientId, MembershipId, client},
    identity::passwords,
    platform::{
        actor::access::{ClientsEdit, ClientsRead},
        app::App,
        page::{Page, PageRequest},
        search::SearchText,
    },
    tenancy::memberships::{self, Member, MemberAccess, MemberChange, MemberFilter},
};
use uuid::Uuid;

use crate::{
    http::{
        auth::Authorized,
        body::Body,
        error::{ApiResult, codes, limit},
        fields::Field,
        nullable::Nullable,
        page,
        response::{Accepted, NoContent, accepted},
        tags::Tag,
    },
    tenancy::views::{ClientReference, MemberRole, MemberStatus, PortalUserView},
};

/// The operations of the tag `portal users`.
pub(crate) struct PortalUsers;

/// A page of the portal users of a client, in the order of their invitations.
#[derive(Object)]
pub(crate) struct PortalUserList {
    /// The portal users of this page.
    data: Vec<PortalUserView>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

/// A portal user at one of the clients of the tenant.
#[derive(Object)]
struct TenantPortalUser {
    /// The id of the membership (UUIDv7). It is not the id of the user's account.
    id: Uuid,
    /// The email address, in lower case.
    email: String,
    /// The name that the tenant entered for the user at this client.
    name: String,
    /// The role at the client.
    role: MemberRole,
    /// The status at the client.
    status: MemberStatus,
    /// When the user last signed in to this client or switched to it (RFC 3339, UTC); `null` if never.
    last_sign_in_at: Nullable<DateTime<Utc>>,
    /// When the user was invited to this client (RFC 3339, UTC).
    invited_at: DateTime<Utc>,
    /// The client.
    client: ClientReference,
}

/// A page of the portal users of all clients of the tenant, in the order of their invitations. A user of several
/// clients occurs once for each of them.
#[derive(Object)]
struct TenantPortalUserList {
    /// The portal users of this page.
    data: Vec<TenantPortalUser>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

/// The fields of a portal user at one client to change. An absent field keeps its value.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct UpdatePortalUser {
    /// The new role at the client.
    role: Option<MemberRole>,
    /// Whether the user can act for the client.
    status: Option<PortalUserAccess>,
}

/// Whether a portal user can act for a client.
///
/// - `active`: the user can act for the client.
/// - `disabled`: the user cannot act for the client.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum PortalUserAccess {
    /// The user can act for the client.
    Active,
    /// The user cannot act for the client.
    Disabled,
}

impl From<PortalUserAccess> for MemberAccess {
    fn from(access: PortalUserAccess) -> Self {
        match access {
            PortalUserAccess::Active => Self::Active,
            PortalUserAccess::Disabled => Self::Disabled,
        }
    }
}

impl From<UpdatePortalUser> for MemberChange {
    fn from(body: UpdatePortalUser) -> Self {
        Self { role: body.role.map(Into::into), access: body.status.map(Into::into) }
    }
}

impl From<Page<Member>> for PortalUserList {
    fn from(page: Page<Member>) -> Self {
        let Page { data, next_cursor } = page.map(Into::into);
        Self { data, next_cursor: Nullable(next_cursor) }
    }
}

impl From<(Member, client::Model)> for TenantPortalUser {
    fn from((member, client): (Member, client::Model)) -> Self {
        let PortalUserView { id, email, name, role, status, last_sign_in_at, invited_at } = member.into();
        Self { id, email, name, role, status, last_sign_in_at, invited_at, client: client.into() }
    }
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::PortalUsers")]
impl PortalUsers {
    /// List the portal users of a client
    ///
    /// Returns the portal users of a client in any status, in the order of their invitations. Every staff role may call
    /// this.
    #[expect(clippy::too_many_arguments, reason = "each query parameter is an argument")]
    #[oai(path = "/clients/:client_id/portal-users", method = "get", operation_id = "list_client_portal_users")]
    async fn list_of_client(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsRead>,
        /// The id of the client.
        client_id: Path<Field<ClientId>>,
        /// The largest number of portal users on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
        /// Only portal users with an address, or a word of the name, that begins with this text, in any letter case:
        /// 2 to 254 characters.
        q: Query<Option<Field<SearchText>>>,
        /// Only portal users with this status.
        status: Query<Option<MemberStatus>>,
    ) -> ApiResult<Json<PortalUserList>, { codes::NOT_FOUND }> {
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        let found = memberships::list_of_client(app, &caller, client_id.0.0, &filter(q, status), &page).await?;
        Ok(Json(found.into()))
    }

    /// List the portal users of the tenant
    ///
    /// Returns the portal users of all clients of the caller's tenant in any status, in the order of their invitations,
    /// each with the client. A user of several clients occurs once for each of them. Every staff role may call this.
    #[oai(path = "/portal-users", method = "get", operation_id = "list_portal_users")]
    async fn list_of_tenant(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsRead>,
        /// The largest number of portal users on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
        /// Only portal users with an address, or a word of the name, that begins with this text, in any letter case:
        /// 2 to 254 characters.
        q: Query<Option<Field<SearchText>>>,
        /// Only portal users with this status.
        status: Query<Option<MemberStatus>>,
    ) -> ApiResult<Json<TenantPortalUserList>, 0> {
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        let found = memberships::list_of_tenant(app, &caller, &filter(q, status), &page).await?;
        let Page { data, next_cursor } = found.map(Into::into);
        Ok(Json(TenantPortalUserList { data, next_cursor: Nullable(next_cursor) }))
    }

    /// Update a portal user
    ///
    /// Changes the role of a portal user at a client, or disables or enables the user there. A change has effect from
    /// the user's next request on. `disabled` revokes the user's sessions at this client; the user's other clients stay
    /// as they are. `active` does not restore sessions. The response is 409 `conflict` if the user has not joined the
    /// client yet.
    ///
    /// Of two concurrent updates, each field keeps the value of the one that was written last. The response is 404 if
    /// the user was removed in the meantime. The roles `owner`, `admin` and `support` may call this.
    #[oai(
        path = "/clients/:client_id/portal-users/:portal_user_id",
        method = "patch",
        operation_id = "update_portal_user"
    )]
    async fn update(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsEdit>,
        /// The id of the client.
        client_id: Path<Field<ClientId>>,
        /// The `id` of the portal user at this client.
        portal_user_id: Path<Field<MembershipId>>,
        Body(body): Body<UpdatePortalUser>,
    ) -> ApiResult<Json<PortalUserView>, { codes::NOT_FOUND | codes::CONFLICT }> {
        let change = body.into();
        let (client, id) = (client_id.0.0, portal_user_id.0.0);
        Ok(Json(memberships::change(app, &caller, client, id, change).await?.into()))
    }

    /// Remove a portal user from a client
    ///
    /// Removes the portal user, in any status, from the client. The user's sessions at this client are revoked. If the
    /// user has not joined yet, the invitation is cancelled, its links are revoked, and its queued mails are not sent.
    /// The account, its password and the user's other clients stay as they are, and the user can be invited again. The
    /// roles `owner`, `admin` and `support` may call this.
    #[oai(
        path = "/clients/:client_id/portal-users/:portal_user_id",
        method = "delete",
        operation_id = "remove_portal_user"
    )]
    async fn remove(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsEdit>,
        /// The id of the client.
        client_id: Path<Field<ClientId>>,
        /// The `id` of the portal user at this client.
        portal_user_id: Path<Field<MembershipId>>,
    ) -> ApiResult<NoContent, { codes::NOT_FOUND }> {
        memberships::remove(app, &caller, client_id.0.0, portal_user_id.0.0).await?;
        Ok(NoContent)
    }

    /// Send a reset link to a portal user
    ///
    /// Mails a reset link to the address of an active portal user. Only the mail shows the link, and the password stays
    /// until the user opens it. The response is 409 `conflict` if the user has not joined the client yet, is disabled
    /// or has no password, and 403 `client_suspended` if the client is archived. Each mail counts as an invitation to
    /// the recipient. The roles `owner`, `admin` and `support` may call this.
    #[oai(
        path = "/clients/:client_id/portal-users/:portal_user_id/send-reset",
        method = "post",
        operation_id = "send_portal_user_reset"
    )]
    async fn send_reset(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsEdit>,
        /// The id of the client.
        client_id: Path<Field<ClientId>>,
        /// The `id` of the portal user at this client.
        portal_user_id: Path<Field<MembershipId>>,
    ) -> ApiResult<Json<Accepted>, { codes::CLIENT_SUSPENDED | codes::NOT_FOUND | codes::CONFLICT | limit::INVITE }>
    {
        passwords::send_reset(app, &caller, client_id.0.0, portal_user_id.0.0).await?;
        Ok(accepted())
    }
}

/// Returns the filter that two query parameters ask for.
pub(crate) fn filter(q: Query<Option<Field<SearchText>>>, status: Query<Option<MemberStatus>>) -> MemberFilter {
    MemberFilter { search: q.0.map(|Field(text)| text), status: status.0.map(Into::into) }
}
