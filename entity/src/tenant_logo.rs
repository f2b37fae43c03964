//! `tenant_logos`: the logos that tenants have uploaded. Deleted with their tenants.
//!
//! Both images are made of one upload. The upload itself is not stored.

use sea_orm::entity::prelude::*;

use crate::TenantId;

/// A row of `tenant_logos`: the logo of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenant_logos")]
pub struct Model {
    /// The primary key: the tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    /// The SHA-256 hash of `png`, in hexadecimal.
    pub hash: String,
    /// The image on pages: a PNG file.
    pub png: Vec<u8>,
    /// The width of the image on pages, in pixels.
    pub width: i32,
    /// The height of the image on pages, in pixels.
    pub height: i32,
    /// The image in mails: a smaller PNG file.
    pub mail_png: Vec<u8>,
    /// The width of the image in mails, in pixels.
    pub mail_width: i32,
    /// The height of the image in mails, in pixels.
    pub mail_height: i32,
    /// When the logo was uploaded.
    pub uploaded_at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
