//! `invitations`: the invitations of persons to clients.
//!
//! One row is one invitation of one person to one client, with all its mails and links.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{ClientId, InvitationId, PortalUserId, StaffUserId, TenantId, membership};

/// How the invited person joins the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The person joins with the link that was mailed to them.
    Setup,
    /// The person had a password and a membership at this tenant, so they joined immediately. The mail is a notice.
    Notification,
}

/// The status of an invitation. It changes from pending to one of the others. A renewal or a resend makes an expired
/// invitation pending again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The person has not joined yet.
    Pending,
    /// The person has joined the client.
    Accepted,
    /// The invitation was withdrawn, or its membership was removed.
    Cancelled,
    /// The invitation was not accepted in time.
    Expired,
}

/// A row of `invitations`: one invitation.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: InvitationId,
    /// The client that the person is invited to.
    pub client_id: ClientId,
    /// The invited person.
    pub portal_user_id: PortalUserId,
    /// The email address to which the invitation was sent, in normal form.
    pub email: String,
    /// The name of the person as the inviting staff user entered it.
    pub name: String,
    /// The role that the person gets at the client.
    pub role: membership::Role,
    /// How the person joins.
    pub mode: Mode,
    /// The status.
    pub status: Status,
    /// How often staff users have sent the invitation: 1, and one more for each resend.
    pub sent_count: i32,
    /// When a staff user last sent the invitation.
    pub last_sent_at: DateTimeUtc,
    /// Links of mails that were requested before this time are revoked. A resend sets it to its own time.
    pub links_valid_from: DateTimeUtc,
    /// How often the invited person has renewed the expired invitation. Resends of staff users do not count.
    pub renewals: i32,
    /// When the invitation expires unless it is accepted.
    pub expires_at: DateTimeUtc,
    /// The staff user who created the invitation. Null when no staff user created it.
    pub created_by: Option<StaffUserId>,
    /// The administrator of the client who created the invitation. Null when no portal user created it.
    pub created_by_portal_user: Option<PortalUserId>,
    /// When the invitation was created.
    pub created_at: DateTimeUtc,
    /// When the invitation was cancelled. Null unless it was cancelled.
    pub cancelled_at: Option<DateTimeUtc>,
    /// When the invitation has expired for its inviter, if the invited person has renewed it since. Inviters do not see
    /// renewals: they would tell a tenant whether the person has an account elsewhere. A resend sets it to null.
    pub shown_expires_at: Option<DateTimeUtc>,
    /// The language that the inviter has chosen for the person, a BCP 47 language tag. Null uses that of the tenant.
    pub locale: Option<String>,
    /// How many of the two reminders of the current period of validity were sent or left out. A resend sets it to zero.
    pub reminders_sent: i32,
    /// The tenant of the client, by which the lists of the tenant find the row. Null in a row that an older version has
    /// inserted, until a job fills it in.
    pub tenant_id: Option<TenantId>,
    /// Whether `search_words` holds the words of the row. A job adds those of rows that an older version has inserted.
    pub is_search_indexed: bool,
}

/// The rows of other tables that a row refers to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The client that the person is invited to.
    #[sea_orm(belongs_to = "super::client::Entity", from = "Column::ClientId", to = "super::client::Column::Id")]
    Client,
    /// The invited person.
    #[sea_orm(
        belongs_to = "super::portal_user::Entity",
        from = "Column::PortalUserId",
        to = "super::portal_user::Column::Id"
    )]
    PortalUser,
}

impl Related<super::client::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Client.def()
    }
}

impl Related<super::portal_user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::PortalUser.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
