//! One try of staff to sign in by a mailed code. The flow id binds the code to the browser that asked.

use sea_orm::entity::prelude::*;

use crate::{CodeFlowId, EmailId, StaffUserId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "code_flows")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CodeFlowId,
    pub email: String,
    /// The mail that carries the live code; a resend names another, and the older code is dead.
    pub email_id: Option<EmailId>,
    /// None for a stranger, and until the worker has made the code.
    pub staff_user_id: Option<StaffUserId>,
    /// The known device that it was begun at.
    pub device: Option<String>,
    /// Keyed, since six digits alone could be searched.
    pub code_hash: Option<String>,
    /// Which entry of `PORTICO_SECRET` the code is derived under.
    pub key_fingerprint: Option<String>,
    pub misses: i32,
    pub expires_at: DateTimeUtc,
    pub used_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
