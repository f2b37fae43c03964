//! `trusted_devices`: browsers in which a portal user is not asked for the second factor at sign-in.

use sea_orm::entity::prelude::*;

use crate::{PortalUserId, TrustedDeviceId};

/// A row of `trusted_devices`: one browser of one portal user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trusted_devices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: TrustedDeviceId,
    /// The portal user who trusts the browser.
    pub portal_user_id: PortalUserId,
    /// The SHA-256 hash of the value of the browser's cookie, in hexadecimal.
    #[sea_orm(unique)]
    pub secret_hash: String,
    /// The `User-Agent` of the request that added the device. Null when there was none.
    pub user_agent: Option<String>,
    /// The IP address of that request. Null when it is unknown.
    pub ip: Option<String>,
    /// The portal user's credential version at that time. After a change of the password the device is not trusted.
    pub credential_version: i32,
    /// The portal user's factors version at that time. After a change of the factors the device is not trusted.
    pub factors_version: i32,
    /// When the device was added.
    pub created_at: DateTimeUtc,
    /// When a sign-in last used the device.
    pub last_used_at: DateTimeUtc,
    /// When the device stops being trusted. A sign-in does not change it.
    pub expires_at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
