//! `/api/v1/clients/{client_id}/portal-user`: inviting portal users to a client. Called by staff users.

use chrono::{DateTime, Utc};
use poem::{IntoResponse, Response, http::StatusCode, web::Data};
use poem_openapi::{
    ApiResponse, Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    registry::{MetaResponses, Registry},
};
use portico_domain::{
    entity::{ClientId, invitation, membership},
    platform::{actor::access::ClientsEdit, app::App, email_address::EmailAddress, name::Name},
    tenancy::invitations::{self, InviteInput, SentInvitation},
};
use uuid::Uuid;

use crate::{
    http::{
        auth::Authorized,
        body::Body,
        error::{ApiResult, status},
        fields::{Field, Locale},
        nullable::Nullable,
        response::Created,
        tags::Tag,
    },
    tenancy::views::MemberRole,
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
    /// The language as a BCP 47 tag, such as `en` or `de-CH`. It is stored only if the address is new. A resend
    /// ignores it.
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

/// The result of an invitation or of a resend.
#[derive(Object)]
struct InvitedPortalUser {
    /// The invited portal user.
    portal_user: PortalUserView,
    /// The invitation.
    invitation: Invitation,
    /// How the portal user joins the client. Always equal to `mode` of the invitation.
    invite_mode: InviteMode,
}

/// A portal user at one client.
#[derive(Object)]
#[oai(rename = "PortalUser")]
struct PortalUserView {
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
    /// When the user last signed in to this client (RFC 3339, UTC); `null` if never.
    last_sign_in_at: Nullable<DateTime<Utc>>,
    /// When the user was invited to this client (RFC 3339, UTC).
    invited_at: DateTime<Utc>,
}

/// The status of a portal user at a client.
///
/// - `invited`: the user has not joined yet.
/// - `active`: the user can act for the client.
/// - `disabled`: the user cannot act for the client.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum MemberStatus {
    /// The user has not joined yet.
    Invited,
    /// The user can act for the client.
    Active,
    /// The user cannot act for the client.
    Disabled,
}

/// An invitation of one portal user to one client.
#[derive(Object)]
struct Invitation {
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
    /// How many times staff users sent the invitation. It starts at 1, and each resend adds 1.
    sent_count: u32,
    /// When a staff user last sent the invitation (RFC 3339, UTC).
    last_sent_at: DateTime<Utc>,
    /// When the links of the invitation expire (RFC 3339, UTC).
    expires_at: DateTime<Utc>,
    /// When the invitation was created (RFC 3339, UTC).
    created_at: DateTime<Utc>,
    /// The id of the staff user who created the invitation; `null` if no staff user created it.
    created_by: Nullable<Uuid>,
}

/// How an invited portal user joins the client.
///
/// - `setup`: the user gets a link by mail and joins with it.
/// - `notification`: the user has joined immediately and gets a notice by mail.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum InviteMode {
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
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum InvitationStatus {
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

impl From<SentInvitation> for InvitedPortalUser {
    fn from(SentInvitation { membership, email, invitation }: SentInvitation) -> Self {
        let portal_user = PortalUserView {
            id: membership.id.0,
            email,
            name: membership.display_name,
            role: membership.role.into(),
            status: match membership.status {
                membership::Status::Invited => MemberStatus::Invited,
                membership::Status::Active => MemberStatus::Active,
                membership::Status::Disabled => MemberStatus::Disabled,
            },
            last_sign_in_at: Nullable(membership.last_used_at),
            invited_at: membership.invited_at,
        };
        Self { portal_user, invite_mode: invitation.mode.into(), invitation: invitation.into() }
    }
}

impl From<invitation::Model> for Invitation {
    fn from(invitation: invitation::Model) -> Self {
        Self {
            id: invitation.id.0,
            email: invitation.email,
            name: invitation.name,
            role: invitation.role.into(),
            mode: invitation.mode.into(),
            status: match invitation.status {
                invitation::Status::Pending => InvitationStatus::Pending,
                invitation::Status::Accepted => InvitationStatus::Accepted,
                invitation::Status::Cancelled => InvitationStatus::Cancelled,
                invitation::Status::Expired => InvitationStatus::Expired,
            },
            sent_count: invitation.sent_count.unsigned_abs(),
            last_sent_at: invitation.last_sent_at,
            expires_at: invitation.expires_at,
            created_at: invitation.created_at,
            created_by: Nullable(invitation.created_by.map(|id| id.0)),
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
    /// The response is 403 `client_suspended` if the client is archived. The roles `owner`, `admin` and `support` may
    /// call this.
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
        { status::UNSUPPORTED_MEDIA_TYPE | status::UNAUTHORIZED | status::NOT_FOUND | status::CONFLICT },
    > {
        let (Field(client), Field(email)) = (client_id.0, body.email);
        if let Some(InviteAction::Resend) = action.0 {
            return Ok(InviteResponse::Resent(invitations::resend(app, &caller, client, &email).await?.into()));
        }
        let input = InviteInput {
            email,
            name: body.name.map(|Field(name)| name),
            role: body.role.unwrap_or(MemberRole::Member).into(),
            locale: body.locale.map(|Field(Locale(locale))| locale),
        };
        Ok(InviteResponse::Created(invitations::invite(app, &caller, client, input).await?.into()))
    }
}
