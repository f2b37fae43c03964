//! `/api/v1/clients/{client_id}/portal-user`: inviting people to a client.

use chrono::{DateTime, Utc};
use poem::{IntoResponse, Response, http::StatusCode, web::Data};
use poem_openapi::{
    ApiResponse, Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    registry::{MetaResponses, Registry},
};
use portico_domain::{
    app::App,
    email_address::EmailAddress,
    entity::{ClientId, invitation, membership},
    invitations::{self, InviteInput, SentInvitation},
    name::Name,
};
use uuid::Uuid;

use crate::{
    auth::StaffUser,
    body::Body,
    error::{ApiResult, status},
    fields::{Field, Locale},
    nullable::Nullable,
    response::Created,
    tags::Tag,
    views::MemberRole,
};

pub(crate) struct PortalUsers;

/// Who is invited.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct InvitePortalUser {
    /// The person's address.
    email: Field<EmailAddress>,
    /// What they are called; a resend ignores it.
    name: Option<Field<Name>>,
    /// What they will be at the client; `member` if left out; a resend ignores it.
    role: Option<MemberRole>,
    /// Their language; a resend ignores it.
    locale: Option<Field<Locale>>,
}

/// What to do.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum InviteAction {
    Resend,
}

/// Somebody who was invited, and how.
#[derive(Object)]
struct InvitedPortalUser {
    /// The person.
    portal_user: PortalUserView,
    /// The invitation.
    invitation: Invitation,
    /// Whether they set up an account by the mailed link, or were let in at once and told so.
    invite_mode: InviteMode,
}

/// A person at a client.
#[derive(Object)]
#[oai(rename = "PortalUser")]
struct PortalUserView {
    /// The id of their membership.
    id: Uuid,
    /// Their address.
    email: String,
    /// What this client's company calls them.
    name: String,
    /// What they are there.
    role: MemberRole,
    /// Where they stand.
    status: MemberStatus,
    /// When they last signed in there.
    last_sign_in_at: Nullable<DateTime<Utc>>,
    /// When they were invited.
    invited_at: DateTime<Utc>,
}

/// Where a person stands at a client.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum MemberStatus {
    Invited,
    Active,
    Disabled,
}

/// An invitation.
#[derive(Object)]
struct Invitation {
    /// Its id.
    id: Uuid,
    /// Who is invited.
    email: String,
    /// What they are called.
    name: String,
    /// What they will be.
    role: MemberRole,
    /// How they join.
    mode: InviteMode,
    /// Where it stands.
    status: InvitationStatus,
    /// How often it was sent.
    sent_count: u32,
    /// When it was last sent.
    last_sent_at: DateTime<Utc>,
    /// When its links die.
    expires_at: DateTime<Utc>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// The staff user who made it.
    created_by: Nullable<Uuid>,
}

/// How an invited person joins: by setting up an account, or at once.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum InviteMode {
    Setup,
    Notification,
}

/// Where an invitation stands.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum InvitationStatus {
    Pending,
    Accepted,
    Cancelled,
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

/// 201 for a new invitation, 200 for one sent again.
enum InviteAnswer {
    Created(InvitedPortalUser),
    Resent(InvitedPortalUser),
}

impl ApiResponse for InviteAnswer {
    fn meta() -> MetaResponses {
        let mut meta = Created::<InvitedPortalUser>::meta();
        meta.responses.extend(Json::<InvitedPortalUser>::meta().responses);
        meta
    }

    fn register(registry: &mut Registry) {
        Json::<InvitedPortalUser>::register(registry);
    }
}

impl IntoResponse for InviteAnswer {
    fn into_response(self) -> Response {
        match self {
            Self::Created(invited) => Created(invited).into_response(),
            Self::Resent(invited) => Json(invited).with_status(StatusCode::OK).into_response(),
        }
    }
}

#[OpenApi(prefix_path = "/api/v1/clients", tag = "Tag::PortalUsers")]
impl PortalUsers {
    /// Invite a person to a client, or send the invitation again
    ///
    /// Somebody of this tenant with a password joins at once (`notification`); everybody else gets a link (`setup`),
    /// alike whether another tenant knows the address or not. With `action=resend` the person is found by the address
    /// within this client: all older links die and the time begins anew.
    #[oai(path = "/:client_id/portal-user", method = "post", operation_id = "invite_portal_user")]
    async fn invite(
        &self,
        Data(app): Data<&App>,
        caller: StaffUser,
        /// The client's id.
        client_id: Path<Field<ClientId>>,
        /// `resend` to send the invitation again.
        action: Query<Option<InviteAction>>,
        Body(body): Body<InvitePortalUser>,
    ) -> ApiResult<
        InviteAnswer,
        { status::UNSUPPORTED_MEDIA_TYPE | status::UNAUTHORIZED | status::NOT_FOUND | status::CONFLICT },
    > {
        let (Field(client), Field(email)) = (client_id.0, body.email);
        if let Some(InviteAction::Resend) = action.0 {
            return Ok(InviteAnswer::Resent(invitations::resend(app, &caller, client, &email).await?.into()));
        }
        let input = InviteInput {
            email,
            name: body.name.map(|Field(name)| name),
            role: body.role.unwrap_or(MemberRole::Member).into(),
            locale: body.locale.map(|Field(Locale(locale))| locale),
        };
        Ok(InviteAnswer::Created(invitations::invite(app, &caller, client, input).await?.into()))
    }
}
