//! `mail_holds`: the mail servers to which no process sends mail for now, because they refuse Portico itself.

use sea_orm::entity::prelude::*;

/// A row of `mail_holds`: one mail server. A server without a row is not on hold.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail_holds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The keyed hash of `MAIL_URL` and `MAIL_FROM`; the primary key. After a change of these settings, mail is sent
    /// without waiting for the next probe.
    pub server: String,
    /// The stage at which the server refused the mail: `connect`, `tls`, `greeting`, `ehlo`, `auth`, `mail`, `rcpt`,
    /// `data` or `dot`.
    pub stage: String,
    /// The answer of the server, for operators.
    pub detail: Option<String>,
    /// When the hold began.
    pub held_at: DateTimeUtc,
    /// When one mail is sent as the next probe.
    pub next_probe_at: DateTimeUtc,
    /// How many probes there were.
    pub probes: i32,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
