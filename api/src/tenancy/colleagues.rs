//! `/api/portal/colleagues`: the portal users and invitations of a client. Called by the client's administrators.

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use portico_domain::{
    entity::{InvitationId, MembershipId},
    platform::{
        app::App, email_address::EmailAddress, locale::Locale, name::Name, page::PageRequest, search::SearchText,
    },
    tenancy::{
        colleagues,
        invitations::{InvitationFilter, InviteInput},
    },
};

use crate::{
    http::{
        auth::ClientAdmin,
        body::Body,
        error::{ApiResult, codes, limit},
        fields::Field,
        page,
        response::{Created, NoContent},
        tags::Tag,
    },
    tenancy::{
        invitation_lists::InvitationList,
        invitations::{InvitationStatus, InvitedPortalUser},
        portal_users::{self, PortalUserList, UpdatePortalUser},
        views::{MemberRole, MemberStatus, PortalUserView},
    },
};

/// The operations of the tag `colleagues`.
pub(crate) struct Colleagues;

/// The person to invite to the client of the signed-in administrator.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct InviteColleague {
    /// The email address, at most 254 characters. It is trimmed and stored in lower case.
    email: Field<EmailAddress>,
    /// The name, 1 to 100 characters. The default is the part of the address before the `@`.
    name: Option<Field<Name>>,
    /// The role at the client, at most that of the caller. The default is `member`.
    role: Option<MemberRole>,
    /// The language as a BCP 47 tag: `en`, `de`, `fr` or `es`, perhaps with a region, as in `de-CH`. It is stored only
    /// if the address is new.
    locale: Option<Field<Locale>>,
}

impl From<InviteColleague> for InviteInput {
    fn from(body: InviteColleague) -> Self {
        Self {
            email: body.email.0,
            name: body.name.map(|Field(name)| name),
            role: body.role.unwrap_or(MemberRole::Member).into(),
            locale: body.locale.map(|Field(locale)| locale.to_string()),
        }
    }
}

#[OpenApi(prefix_path = "/api/portal/colleagues", tag = "Tag::Colleagues")]
impl Colleagues {
    /// List colleagues
    ///
    /// Returns the portal users, in any status, of the client that the caller acts for, in the order of their
    /// invitations. It contains the caller. Administrators of the client may call this.
    #[oai(path = "/", method = "get", operation_id = "list_colleagues")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: ClientAdmin,
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
    ) -> ApiResult<Json<PortalUserList>, 0> {
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        Ok(Json(colleagues::list(app, &caller, &portal_users::filter(q, status), &page).await?.into()))
    }

    /// Invite a colleague
    ///
    /// Invites a person to the client that the caller acts for. The person gets a link by mail and joins with it, also
    /// with an existing password (`invite_mode` is always `setup`): the response does not show whether another client
    /// or another tenant knows the address. The response is 409 `portal_user_exists` if the address was already invited
    /// to this client.
    ///
    /// The link works only as long as the caller is an administrator of the client. The other administrators get a
    /// notice when an administrator has joined. Administrators of the client may call this.
    #[oai(path = "/", method = "post", operation_id = "invite_colleague")]
    async fn invite(
        &self,
        Data(app): Data<&App>,
        caller: ClientAdmin,
        Body(body): Body<InviteColleague>,
    ) -> ApiResult<
        Created<InvitedPortalUser>,
        { codes::CLIENT_SUSPENDED | codes::PORTAL_USER_EXISTS | limit::INVITE_RECIPIENT | limit::INVITE_COLLEAGUE },
    > {
        Ok(Created(colleagues::invite(app, &caller, body.into()).await?.into()))
    }

    /// Update a colleague
    ///
    /// Changes the role of a portal user at the client that the caller acts for, or disables or enables the user there.
    /// A change has effect from the user's next request on. `disabled` revokes the user's sessions at this client; the
    /// user's other clients stay as they are. `active` does not restore sessions. The other administrators get a notice
    /// of a new administrator. If the user is an administrator no longer, the invitations to this client that the user
    /// has created and that are not accepted are cancelled.
    ///
    /// The response is 409 `conflict` for the caller's own `id`, and if the user has not joined the client yet, and 409
    /// `last_admin` if the client would have no active administrator, because another administrator has changed the
    /// caller's role at the same time. Of two concurrent updates, each field keeps the value of the one that was
    /// written last. Administrators of the client may call this.
    #[oai(path = "/:colleague_id", method = "patch", operation_id = "update_colleague")]
    async fn update(
        &self,
        Data(app): Data<&App>,
        caller: ClientAdmin,
        /// The `id` of the portal user at this client.
        colleague_id: Path<Field<MembershipId>>,
        Body(body): Body<UpdatePortalUser>,
    ) -> ApiResult<
        Json<PortalUserView>,
        { codes::CLIENT_SUSPENDED | codes::NOT_FOUND | codes::LAST_ADMIN | codes::CONFLICT },
    > {
        Ok(Json(colleagues::change(app, &caller, colleague_id.0.0, body.into()).await?.into()))
    }

    /// Remove a colleague
    ///
    /// Removes a portal user, in any status, from the client that the caller acts for. The user's sessions at this
    /// client are revoked. If the user has not joined yet, the invitation is cancelled, its links are revoked, and its
    /// queued mails are not sent. The invitations to this client that the user has created are cancelled too, unless
    /// they are accepted. The account, its password and the user's other clients stay as they are, and the user can be
    /// invited again.
    ///
    /// The response is 409 `conflict` for the caller's own `id`, and 409 `last_admin` as for `update_colleague`.
    /// Administrators of the client may call this.
    #[oai(path = "/:colleague_id", method = "delete", operation_id = "remove_colleague")]
    async fn remove(
        &self,
        Data(app): Data<&App>,
        caller: ClientAdmin,
        /// The `id` of the portal user at this client.
        colleague_id: Path<Field<MembershipId>>,
    ) -> ApiResult<NoContent, { codes::CLIENT_SUSPENDED | codes::NOT_FOUND | codes::LAST_ADMIN | codes::CONFLICT }>
    {
        colleagues::remove(app, &caller, colleague_id.0.0).await?;
        Ok(NoContent)
    }

    /// List the invitations of colleagues
    ///
    /// Returns the invitations to the client that the caller acts for, newest first, also those that staff users have
    /// created, each with the delivery of its latest mail. Administrators of the client may call this.
    #[oai(path = "/invitations", method = "get", operation_id = "list_colleague_invitations")]
    async fn list_invitations(
        &self,
        Data(app): Data<&App>,
        caller: ClientAdmin,
        /// The largest number of invitations on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
        /// Only invitations with this status.
        status: Query<Option<InvitationStatus>>,
    ) -> ApiResult<Json<InvitationList>, 0> {
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        let filter = InvitationFilter { status: status.0.map(Into::into), ..InvitationFilter::default() };
        let found = colleagues::list_invitations(app, &caller, &filter, &page).await?;
        Ok(Json(found.into()))
    }

    /// Cancel an invitation of a colleague
    ///
    /// Cancels an invitation to the client that the caller acts for, also one that a staff user has created. Its links
    /// are revoked, its queued mails are not sent, and the person is removed from the list of colleagues. Cancelling a
    /// cancelled invitation changes nothing. The response is 409 `already_activated` if the person has joined.
    /// Administrators of the client may call this.
    #[oai(path = "/invitations/:invitation_id", method = "delete", operation_id = "cancel_colleague_invitation")]
    async fn cancel_invitation(
        &self,
        Data(app): Data<&App>,
        caller: ClientAdmin,
        /// The id of the invitation.
        invitation_id: Path<Field<InvitationId>>,
    ) -> ApiResult<NoContent, { codes::CLIENT_SUSPENDED | codes::NOT_FOUND | codes::ALREADY_ACTIVATED | codes::CONFLICT }>
    {
        colleagues::cancel_invitation(app, &caller, invitation_id.0.0).await?;
        Ok(NoContent)
    }

    /// Resend an invitation of a colleague
    ///
    /// Sends an invitation to the client that the caller acts for again, also one that a staff user has created. A new
    /// link is mailed, every older link is revoked, and the time to accept starts again. The response is 409
    /// `already_activated` if the person has joined, and 409 `conflict` if the invitation was cancelled. A resend
    /// counts as an invitation. Administrators of the client may call this.
    #[oai(path = "/invitations/:invitation_id/resend", method = "post", operation_id = "resend_colleague_invitation")]
    async fn resend_invitation(
        &self,
        Data(app): Data<&App>,
        caller: ClientAdmin,
        /// The id of the invitation.
        invitation_id: Path<Field<InvitationId>>,
    ) -> ApiResult<
        Json<InvitedPortalUser>,
        {
            codes::CLIENT_SUSPENDED
                | codes::NOT_FOUND
                | codes::ALREADY_ACTIVATED
                | codes::CONFLICT
                | limit::INVITE_RECIPIENT
                | limit::INVITE_COLLEAGUE
        },
    > {
        Ok(Json(colleagues::resend_invitation(app, &caller, invitation_id.0.0).await?.into()))
    }
}
