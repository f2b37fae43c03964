//! `tenants`: the companies that use Portico.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::TenantId;

/// The status of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The staff users and the portal users of the tenant can sign in.
    Active,
    /// The staff users and the portal users of the tenant cannot sign in, and their sessions are ended.
    Suspended,
}

/// A row of `tenants`: one company.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: TenantId,
    /// The short name, which the command line uses: 2 to 40 lower-case letters, digits and hyphens. Unique.
    #[sea_orm(unique)]
    pub slug: String,
    /// The name, which pages and mails show.
    pub name: String,
    /// The status.
    pub status: Status,
    /// The colours, the corner radius and the support contacts on pages and in mails, and the version of the brand: a
    /// JSON object, whose absent fields have their defaults.
    #[sea_orm(column_type = "JsonBinary")]
    pub branding: Json,
    /// The language of mail to people who have no locale of their own, a BCP 47 language tag.
    pub default_locale: String,
    /// How the users of the tenant may sign in: a JSON object. Null for the default.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub sign_in_policy: Option<Json>,
    /// When the tenant was added.
    pub created_at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
