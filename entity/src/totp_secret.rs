//! `totp_secrets`: the secrets from which an authenticator app makes one-time passwords (TOTP, RFC 6238).
//!
//! A user has at most one confirmed secret. A secret that is not confirmed within ten minutes is deleted.

use sea_orm::entity::prelude::*;

use crate::{PortalUserId, StaffUserId, TotpSecretId};

/// A row of `totp_secrets`: one secret of one user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "totp_secrets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key, to which the sealed secret is bound.
    pub id: TotpSecretId,
    /// The portal user who owns the row. Null for a staff user's.
    pub portal_user_id: Option<PortalUserId>,
    /// The staff user who owns the row. Null for a portal user's.
    pub staff_user_id: Option<StaffUserId>,
    /// The secret of 160 bits, sealed by an entry of `PORTICO_SECRET`.
    pub sealed: String,
    /// The fingerprint of that entry.
    pub key_fingerprint: String,
    /// The user's factors version when the setup began. A setup of an older version cannot be confirmed.
    pub factors_version: i32,
    /// The newest time step of which a code was accepted: seconds since 1970 divided by 30. Codes of this step and of
    /// older steps are refused. Null while no code was accepted.
    pub last_step: Option<i64>,
    /// When the setup began.
    pub created_at: DateTimeUtc,
    /// When the user confirmed the secret with a first code. Null until then; the secret is not used before.
    pub confirmed_at: Option<DateTimeUtc>,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
