//! `/api/v1/clients/{client_id}/portal-user` and `/api/v1/clients/{client_id}/invitations/{invitation_id}`: inviting
//! portal users to a client, and what can be done with one invitation. Called by staff users.

use chrono::{DateTime, Utc};
use poem::{IntoResponse, Response, http::StatusCode, web::Data};
use poem_openapi::{
    ApiResponse, Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    registry::{MetaResponses, Registry},
};
use portico_domain::{
    entity::{ClientId, InvitationId, email, invitation},
    platform::{actor::access::ClientsEdit, app::App, email_address::EmailAddress, locale::Locale, name::Name},
    tenancy::{
        invitations::{self, Correction, Delivery, InviteInput, SentInvitation},
        memberships::Member,
    },
};
use uuid::Uuid;

use crate::{
    http::{
        auth::Authorized,
        body::Body,
        error::{ApiResult, codes, limit},
        fields::Field,
        nullable::Nullable,
        response::{Created, NoContent},
        tags::Tag,
    },
    tenancy::views::{MemberRole, PortalUserView},
};

/// The operations of the tag `invitations`.
pub(crate) struct Invitations;

/// The portal user to invite, or to send the invitation to again.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct InvitePortalUser {
    /// The email address, at most 254 characters. It is trimmed and stored in lower case.
    email: Field<EmailAddress>,
    /// The name, 1 to 100 characters. The default is the part of the address before the `@`. A resend ignores it.
    name: Option<Field<Name>>,
    /// The role at the client. The default is `member`. A resend ignores it.
    role: Option<MemberRole>,
    /// The language as a BCP 47 tag: `en`, `de`, `fr` or `es`, perhaps with a region, as in `de-CH`. It is stored only
    /// if the address is new. A resend ignores it.
    locale: Option<Field<Locale>>,
}

/// The action of `invite_portal_user`.
///
/// - `resend`: send an existing invitation again.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum InviteAction {
    /// Send an existing invitation again.
    Resend,
}

/// The right address of an invitation, and perhaps the right name.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct CorrectInvitation {
    /// The right email address. It may be the old one, if only the name is wrong.
    email: Field<EmailAddress>,
    /// The right name, 1 to 100 characters. If it is absent, the name stays, unless it was made from the old address.
    name: Option<Field<Name>>,
}

/// The result of an invitation or of a resend.
#[derive(Object)]
pub(super) struct InvitedPortalUser {
    /// The invited portal user.
    portal_user: PortalUserView,
    /// The invitation.
    invitation: Invitation,
    /// How the portal user joins the client. Always equal to `mode` of the invitation.
    invite_mode: InviteMode,
}

/// An invitation of one portal user to one client.
#[derive(Object)]
pub(super) struct Invitation {
    /// The id of the invitation (UUIDv7).
    id: Uuid,
    /// The email address of the invited user.
    email: String,
    /// The name of the invited user, as the tenant entered it.
    name: String,
    /// The role that the user will have at the client.
    role: MemberRole,
    /// How the user joins the client.
    mode: InviteMode,
    /// The status of the invitation.
    status: InvitationStatus,
    /// How many times staff users and administrators of the client sent the invitation. It starts at 1, and each resend
    /// adds 1.
    sent_count: u32,
    /// When a staff user or an administrator of the client last sent the invitation (RFC 3339, UTC).
    last_sent_at: DateTime<Utc>,
    /// When the links of the invitation expire (RFC 3339, UTC).
    expires_at: DateTime<Utc>,
    /// When the invitation was created (RFC 3339, UTC).
    created_at: DateTime<Utc>,
    /// The id of the staff user or of the portal user who created the invitation; `null` if a program created it.
    created_by: Nullable<Uuid>,
    /// What became of the latest mail that the tenant has caused for the invitation; `null` if the mail log holds no
    /// such mail any more. It does not show mail that the portal user has asked for.
    delivery: Nullable<InvitationDelivery>,
}

/// What became of a mail.
#[derive(Object)]
struct InvitationDelivery {
    /// The status of the mail.
    status: DeliveryStatus,
    /// The outcome as a sentence. It quotes the mail server only if that has refused the recipient.
    detail: String,
    /// When the last attempt to send the mail ended (RFC 3339, UTC); `null` before that.
    last_attempt_at: Nullable<DateTime<Utc>>,
}

/// The status of a mail.
///
/// - `queued`: it waits to be sent, or to be tried again.
/// - `sent`: the mail server has accepted it.
/// - `failed`: the mail server has refused it, or it could not be sent in time.
/// - `suppressed`: it was deliberately not sent, because it was no longer needed.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
pub(super) enum DeliveryStatus {
    /// Waits to be sent, or to be tried again.
    Queued,
    /// The mail server has accepted it.
    Sent,
    /// Refused, or not sent in time.
    Failed,
    /// Deliberately not sent.
    Suppressed,
}

/// How an invited portal user joins the client.
///
/// - `setup`: the user gets a link by mail and joins with it.
/// - `notification`: the user has joined immediately and gets a notice by mail.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum InviteMode {
    /// The user joins with a mailed link.
    Setup,
    /// The user has joined immediately and gets a notice.
    Notification,
}

/// The status of an invitation.
///
/// - `pending`: the user has not accepted it yet.
/// - `accepted`: the user has joined the client.
/// - `cancelled`: it was withdrawn.
/// - `expired`: the user did not accept it in time. A resend makes it `pending` again.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
pub(super) enum InvitationStatus {
    /// The user has not accepted it yet.
    Pending,
    /// The user has joined the client.
    Accepted,
    /// It was withdrawn.
    Cancelled,
    /// The user did not accept it in time.
    Expired,
}

impl From<invitation::Mode> for InviteMode {
    fn from(mode: invitation::Mode) -> Self {
        match mode {
            invitation::Mode::Setup => Self::Setup,
            invitation::Mode::Notification => Self::Notification,
        }
    }
}

impl From<invitation::Status> for InvitationStatus {
    fn from(status: invitation::Status) -> Self {
        match status {
            invitation::Status::Pending => Self::Pending,
            invitation::Status::Accepted => Self::Accepted,
            invitation::Status::Cancelled => Self::Cancelled,
            invitation::Status::Expired => Self::Expired,
        }
    }
}

impl From<InvitationStatus> for invitation::Status {
    fn from(status: InvitationStatus) -> Self {
        match status {
            InvitationStatus::Pending => Self::Pending,
            InvitationStatus::Accepted => Self::Accepted,
            InvitationStatus::Cancelled => Self::Cancelled,
            InvitationStatus::Expired => Self::Expired,
        }
    }
}

impl From<SentInvitation> for InvitedPortalUser {
    fn from(SentInvitation { membership, email, invitation }: SentInvitation) -> Self {
        let portal_user = Member { membership, email }.into();
        let delivery = Some(Delivery::queued());
        Self { portal_user, invite_mode: invitation.mode.into(), invitation: Invitation::new(invitation, delivery) }
    }
}

impl From<email::Status> for DeliveryStatus {
    fn from(status: email::Status) -> Self {
        match status {
            email::Status::Queued => Self::Queued,
            email::Status::Sent => Self::Sent,
            email::Status::Failed => Self::Failed,
            email::Status::Suppressed => Self::Suppressed,
        }
    }
}

impl From<DeliveryStatus> for email::Status {
    fn from(status: DeliveryStatus) -> Self {
        match status {
            DeliveryStatus::Queued => Self::Queued,
            DeliveryStatus::Sent => Self::Sent,
            DeliveryStatus::Failed => Self::Failed,
            DeliveryStatus::Suppressed => Self::Suppressed,
        }
    }
}

impl From<Delivery> for InvitationDelivery {
    fn from(delivery: Delivery) -> Self {
        let Delivery { status, detail, last_attempt_at } = delivery;
        Self { status: status.into(), detail, last_attempt_at: Nullable(last_attempt_at) }
    }
}

impl Invitation {
    /// Returns the view of an invitation and of the delivery of its latest mail.
    pub(super) fn new(invitation: invitation::Model, delivery: Option<Delivery>) -> Self {
        Self {
            id: invitation.id.0,
            email: invitation.email,
            name: invitation.name,
            role: invitation.role.into(),
            mode: invitation.mode.into(),
            status: invitation.status.into(),
            sent_count: invitation.sent_count.unsigned_abs(),
            last_sent_at: invitation.last_sent_at,
            expires_at: invitation.expires_at,
            created_at: invitation.created_at,
            created_by: Nullable(
                invitation.created_by.map(|id| id.0).or(invitation.created_by_portal_user.map(|id| id.0)),
            ),
            delivery: Nullable(delivery.map(Into::into)),
        }
    }
}

/// The response of `invite_portal_user`.
enum InviteResponse {
    /// 201: a new invitation.
    Created(InvitedPortalUser),
    /// 200: an invitation that was sent again.
    Resent(InvitedPortalUser),
}

impl ApiResponse for InviteResponse {
    fn meta() -> MetaResponses {
        let mut meta = Created::<InvitedPortalUser>::meta();
        meta.responses.extend(Json::<InvitedPortalUser>::meta().responses);
        meta
    }

    fn register(registry: &mut Registry) {
        Json::<InvitedPortalUser>::register(registry);
    }
}

impl IntoResponse for InviteResponse {
    fn into_response(self) -> Response {
        match self {
            Self::Created(invited) => Created(invited).into_response(),
            Self::Resent(invited) => Json(invited).with_status(StatusCode::OK).into_response(),
        }
    }
}

#[OpenApi(prefix_path = "/api/v1/clients", tag = "Tag::Invitations")]
impl Invitations {
    /// Invite a portal user or resend the invitation
    ///
    /// A user who has a password and is active at a client of this tenant joins immediately and gets a notice
    /// (`notification`). Any other user gets a link by mail (`setup`); the response does not show whether another
    /// tenant knows the address. The response is 409 `portal_user_exists` if the address was already invited to this
    /// client.
    ///
    /// With `action=resend` the user is found by the address within this client. A new link is mailed, every older
    /// link is revoked, and the time to accept starts again. The response is 409 `already_activated` if the user has
    /// joined.
    ///
    /// The response is 403 `client_suspended` if the client is archived.
    #[oai(path = "/:client_id/portal-user", method = "post", operation_id = "invite_portal_user")]
    async fn invite(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsEdit>,
        /// The id of the client.
        client_id: Path<Field<ClientId>>,
        /// `resend` sends the existing invitation again. If it is absent, a new invitation is created.
        action: Query<Option<InviteAction>>,
        Body(body): Body<InvitePortalUser>,
    ) -> ApiResult<
        InviteResponse,
        {
            codes::CLIENT_SUSPENDED
                | codes::NOT_FOUND
                | codes::PORTAL_USER_EXISTS
                | codes::ALREADY_ACTIVATED
                | codes::CONFLICT
                | limit::INVITE
        },
    > {
        let (Field(client), Field(email)) = (client_id.0, body.email);
        if let Some(InviteAction::Resend) = action.0 {
            return Ok(InviteResponse::Resent(invitations::resend_to(app, &caller, client, &email).await?.into()));
        }
        let input = InviteInput {
            email,
            name: body.name.map(|Field(name)| name),
            role: body.role.unwrap_or(MemberRole::Member).into(),
            locale: body.locale.map(|Field(locale)| locale.to_string()),
        };
        Ok(InviteResponse::Created(invitations::invite(app, &caller, client, input).await?.into()))
    }

    /// Resend an invitation
    ///
    /// A new link is mailed, every older link is revoked, and the time to accept starts again. The response is 409
    /// `already_activated` if the user has joined, 409 `conflict` if the invitation was cancelled, and 403
    /// `client_suspended` if the client is archived. It counts as an invitation for the rate limits. The roles `owner`,
    /// `admin` and `support` may call this.
    #[oai(path = "/:client_id/invitations/:invitation_id/resend", method = "post", operation_id = "resend_invitation")]
    async fn resend(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsEdit>,
        /// The id of the client.
        client_id: Path<Field<ClientId>>,
        /// The id of the invitation.
        invitation_id: Path<Field<InvitationId>>,
    ) -> ApiResult<
        Json<InvitedPortalUser>,
        { codes::CLIENT_SUSPENDED | codes::NOT_FOUND | codes::ALREADY_ACTIVATED | codes::CONFLICT | limit::INVITE },
    > {
        Ok(Json(invitations::resend(app, &caller, client_id.0.0, invitation_id.0.0).await?.into()))
    }

    /// Correct the address of an invitation
    ///
    /// The invitation is cancelled and another one, with another id, is sent to the right address, in one act. Its role
    /// stays. With the same address, the new invitation has the new name. The response is 409 `portal_user_exists` if
    /// the right address was already invited to this client, 409 `already_activated` if the user has joined, and 409
    /// `conflict` if the invitation was cancelled; then nothing changes. It counts as an invitation for the rate
    /// limits. The roles `owner`, `admin` and `support` may call this.
    #[oai(path = "/:client_id/invitations/:invitation_id", method = "patch", operation_id = "correct_invitation")]
    async fn correct(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsEdit>,
        /// The id of the client.
        client_id: Path<Field<ClientId>>,
        /// The id of the invitation.
        invitation_id: Path<Field<InvitationId>>,
        Body(body): Body<CorrectInvitation>,
    ) -> ApiResult<
        Json<InvitedPortalUser>,
        {
            codes::CLIENT_SUSPENDED
                | codes::NOT_FOUND
                | codes::PORTAL_USER_EXISTS
                | codes::ALREADY_ACTIVATED
                | codes::CONFLICT
                | limit::INVITE
        },
    > {
        let correction = Correction { email: body.email.0, name: body.name.map(|Field(name)| name) };
        let (client, invitation) = (client_id.0.0, invitation_id.0.0);
        Ok(Json(invitations::correct(app, &caller, client, invitation, correction).await?.into()))
    }

    /// Cancel an invitation
    ///
    /// Its links are revoked, its queued mails are not sent, and the user is removed from the client. Cancelling a
    /// cancelled invitation is 204 and changes nothing. The response is 409 `already_activated` if the user has joined.
    /// The roles `owner`, `admin` and `support` may call this.
    #[oai(path = "/:client_id/invitations/:invitation_id", method = "delete", operation_id = "cancel_invitation")]
    async fn cancel(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<ClientsEdit>,
        /// The id of the client.
        client_id: Path<Field<ClientId>>,
        /// The id of the invitation.
        invitation_id: Path<Field<InvitationId>>,
    ) -> ApiResult<NoContent, { codes::NOT_FOUND | codes::ALREADY_ACTIVATED | codes::CONFLICT }> {
        invitations::cancel(app, &caller, client_id.0.0, invitation_id.0.0).await?;
        Ok(NoContent)
    }
}
