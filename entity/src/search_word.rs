//! `search_words`: the search index. A row says that an object is found by a text and by each beginning of it.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::TenantId;

/// The kind of an object in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A row of `clients`.
    Client,
    /// A row of `memberships`.
    Membership,
    /// A row of `invitations`.
    Invitation,
}

/// A row of `search_words`: one text of one object.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_words")]
pub struct Model {
    /// The id of the object.
    #[sea_orm(primary_key, auto_increment = false)]
    pub object_id: Uuid,
    /// The text, case-folded. It is compared by its bytes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub word: String,
    /// The tenant in which the object is found.
    pub tenant_id: TenantId,
    /// The kind of the object.
    pub subject: Subject,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
