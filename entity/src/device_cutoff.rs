//! `device_cutoffs`: since when a device must have signed in to be a known device of an address.
//!
//! A row is written when a password is reset and when a person reports a sign-in that was not theirs. Rows are deleted
//! after one year, because no device cookie is older.

use sea_orm::entity::prelude::*;

/// A row of `device_cutoffs`: one address under one entry of `PORTICO_SECRET`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "device_cutoffs")]
pub struct Model {
    /// The primary key: the keyed hash of the email address, in hexadecimal. The table contains no address.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address_hash: String,
    /// A device cookie that was made at this time or before it is void.
    pub since: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
