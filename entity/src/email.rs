//! The outbox and the mail log. Holds no secret and no body: the worker makes both when it sends.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{ClientId, CodeFlowId, EmailId, InvitationId, PortalUserId, StaffUserId, TenantId};

/// Every mail that Portico sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Activation,
    Invitation,
    AccessNotice,
    Reset,
    PasswordChanged,
    PasswordLocked,
    SessionEnded,
    StaffCode,
}

impl Kind {
    /// Its word in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Invitation => "invitation",
            Self::AccessNotice => "access_notice",
            Self::Reset => "reset",
            Self::PasswordChanged => "password_changed",
            Self::PasswordLocked => "password_locked",
            Self::SessionEnded => "session_ended",
            Self::StaffCode => "staff_code",
        }
    }
}

/// `Suppressed`: rightly not sent (a stranger's address, or it would have arrived dead).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Queued,
    Sent,
    Failed,
    Suppressed,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "emails")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EmailId,
    pub kind: Kind,
    pub recipient: String,
    /// Whose mail log shows it; none for personal and strangers' mail.
    pub tenant_id: Option<TenantId>,
    pub client_id: Option<ClientId>,
    pub portal_user_id: Option<PortalUserId>,
    pub staff_user_id: Option<StaffUserId>,
    pub invitation_id: Option<InvitationId>,
    pub code_flow_id: Option<CodeFlowId>,
    pub status: Status,
    pub attempts: i32,
    /// The server's last answer, or why the mail was not sent.
    pub detail: Option<String>,
    /// The same on every attempt, so that a receiver can drop a double.
    #[sea_orm(unique)]
    pub message_id: String,
    /// After this the mail would arrive dead.
    pub expires_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub sent_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
