//! `emails`: the outbox and the mail log.
//!
//! A row holds no secret and no text; the worker makes both when it sends the mail. Suppressed mail to unknown
//! addresses is deleted after 24 hours.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{ApiTokenId, ClientId, CodeFlowId, EmailId, InvitationId, PortalUserId, SessionId, StaffUserId, TenantId};

/// The kinds of mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The link that sets up an account, requested by the invited person.
    Activation,
    /// The link of an invitation: to set up an account, or to accept with an existing account.
    Invitation,
    /// A further link of an invitation, before the invitation expires.
    InvitationReminder,
    /// The notice that a portal user with a password has access to a further client.
    AccessNotice,
    /// The notice that another portal user has become an administrator of the recipient's client.
    NewAdmin,
    /// The link that resets a password. A person who has no password yet gets the link that sets up the account
    /// instead.
    Reset,
    /// The notice that the password was changed or reset.
    PasswordChanged,
    /// The notice that the password was locked after too many wrong passwords.
    PasswordLocked,
    /// The notice that a session was ended because its refresh token was probably copied.
    SessionEnded,
    /// The notice that an unknown device signed in, with a link for the case that it was not the owner.
    NewDevice,
    /// The code with which a staff user signs in.
    StaffCode,
    /// The code with which a portal user signs in.
    PortalCode,
    /// The code that a user enters before a second factor is set up during a sign-in.
    EnrolCode,
    /// The notice to a new staff user that they can sign in. It carries no secret.
    StaffInvitation,
    /// The notice that an API token was created.
    TokenCreated,
    /// The notice that an API token expires within a week.
    TokenExpiring,
    /// The notice that a way to sign in was changed, or that a second factor was guessed or used up.
    SecurityNotice,
}

impl Kind {
    /// Returns every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        <Self as sea_orm::Iterable>::iter()
    }

    /// Returns the text that the database stores for this kind.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Invitation => "invitation",
            Self::InvitationReminder => "invitation_reminder",
            Self::AccessNotice => "access_notice",
            Self::NewAdmin => "new_admin",
            Self::Reset => "reset",
            Self::PasswordChanged => "password_changed",
            Self::PasswordLocked => "password_locked",
            Self::SessionEnded => "session_ended",
            Self::NewDevice => "new_device",
            Self::StaffCode => "staff_code",
            Self::PortalCode => "portal_code",
            Self::EnrolCode => "enrol_code",
            Self::StaffInvitation => "staff_invitation",
            Self::TokenCreated => "token_created",
            Self::TokenExpiring => "token_expiring",
            Self::SecurityNotice => "security_notice",
        }
    }
}

/// What a mail of the kind [`Kind::SecurityNotice`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum SecurityEvent {
    /// Second factors were turned on.
    MfaEnabled,
    /// Second factors were turned off.
    MfaDisabled,
    /// Another authenticator app replaced the former one.
    TotpReplaced,
    /// New recovery codes replaced the former ones.
    RecoveryCodesReplaced,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// A person who knows the first factor has entered wrong codes.
    MfaGuessed,
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
}

/// The status of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits to be sent.
    Queued,
    /// The mail server has accepted the mail.
    Sent,
    /// The mail server has refused the mail, or the last attempt has failed.
    Failed,
    /// Deliberately not sent: the address is unknown, or what the mail carries has expired or was replaced.
    Suppressed,
}

/// A row of `emails`: one mail.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "emails")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: EmailId,
    /// The kind, which decides the texts and how the worker composes the mail.
    pub kind: Kind,
    /// The email address of the recipient, in normal form.
    pub recipient: String,
    /// The tenant whose mail log shows the mail. Null for personal mail, for example a reset link, and for mail to
    /// unknown addresses.
    pub tenant_id: Option<TenantId>,
    /// The client that the mail concerns. Null when it concerns no client.
    pub client_id: Option<ClientId>,
    /// The portal user who receives the mail. Null when the recipient is not a portal user, or before the worker has
    /// looked the user up.
    pub portal_user_id: Option<PortalUserId>,
    /// The staff user who receives the mail. Null when the recipient is not a staff user, or is not known to be one.
    pub staff_user_id: Option<StaffUserId>,
    /// The invitation that the mail belongs to. Null when there is none.
    pub invitation_id: Option<InvitationId>,
    /// The code flow for which the mail was requested. Null for mails without a code.
    pub code_flow_id: Option<CodeFlowId>,
    /// The status.
    pub status: Status,
    /// How often the worker has processed the mail: sent it, failed to send it or suppressed it.
    pub attempts: i32,
    /// The last reply of the mail server, or why the mail was not sent. Null before the first attempt.
    pub detail: Option<String>,
    /// The `Message-ID` (RFC 5322 §3.6.4). It is the same on every attempt, so that a recipient's server can drop a
    /// duplicate.
    #[sea_orm(unique)]
    pub message_id: String,
    /// When what the mail carries expires. After that the mail is suppressed. Null when it does not expire.
    pub expires_at: Option<DateTimeUtc>,
    /// When the mail was requested.
    pub created_at: DateTimeUtc,
    /// When the mail server accepted the mail. Null before that.
    pub sent_at: Option<DateTimeUtc>,
    /// Why the mail failed, as a word that does not change: `recipient_refused`, `message_refused`, `refused`,
    /// `outcome_unknown`, `gave_up`, `undeliverable` or `discarded`. Null unless the status is `failed`.
    pub reason: Option<String>,
    /// The stage and the code of the last answer, such as `rcpt 450 4.7.1`, if the mail server refused the recipient or
    /// the text. Null otherwise.
    pub refusal: Option<String>,
    /// How many times the mail was handed over without an answer that was recorded. The server may have accepted it.
    pub unconfirmed: i32,
    /// When the mail was last handed over. Null before that.
    pub unconfirmed_at: Option<DateTimeUtc>,
    /// How many times the mail server has refused the mail, perhaps not for good.
    pub doubts: i32,
    /// How many times the mail server has refused the recipient or the text for now.
    pub deferrals: i32,
    /// When the last attempt to send the mail ended. Null before that.
    pub last_attempt_at: Option<DateTimeUtc>,
    /// The mail that an operator has sent instead of this one. Null when there is none.
    pub retried_by: Option<EmailId>,
    /// The portal user that the mail is about, if that is not the recipient. Null when the mail is about several
    /// persons or about none.
    pub about_portal_user_id: Option<PortalUserId>,
    /// The session that the mail is about. The session may have been deleted. Null when the mail is about none.
    pub session_id: Option<SessionId>,
    /// The API token that the mail is about. Null when it is about none.
    pub api_token_id: Option<ApiTokenId>,
    /// What the mail is about. Null for other kinds than `security_notice`.
    pub security_event: Option<SecurityEvent>,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
