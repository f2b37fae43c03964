//! `cli_logins`: logins of the command line that a staff user has approved in a browser.
//!
//! A program exchanges the code of a login for an API token within a minute. Rows are deleted after they expire.

use sea_orm::entity::prelude::*;

use crate::{CliLoginId, SessionId};

/// A row of `cli_logins`: one approved login.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cli_logins")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key. It is not the code.
    pub id: CliLoginId,
    /// The staff session in which the login was approved. The code is valid only as long as this session.
    pub session_id: SessionId,
    /// The SHA-256 hash of the code, as 64 hexadecimal digits.
    #[sea_orm(unique)]
    pub code_hash: String,
    /// The SHA-256 hash of the program's secret in base64url (RFC 7636 §4.2, `S256`).
    pub code_challenge: String,
    /// The name of the token.
    pub name: String,
    /// The names of the permissions that the token may use, separated by spaces.
    pub scopes: String,
    /// When the login was approved.
    pub created_at: DateTimeUtc,
    /// When the code expires.
    pub expires_at: DateTimeUtc,
    /// When the code was exchanged. Null while it was not.
    pub used_at: Option<DateTimeUtc>,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
