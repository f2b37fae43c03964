//! `code_flows`: requests for a mailed code.
//!
//! The browser that requested the code holds the flow's id. The code is accepted only together with this id, so it
//! works only in that browser. A flow also exists for an unknown email address, which never gets a code. Flows are
//! deleted one day after they expire.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{CodeFlowId, EmailId, PortalUserId, Realm, StaffUserId};

/// What a code is for. A code of one purpose is not accepted for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To sign in, or to prove the identity again in a session.
    SignIn,
    /// To prove access to the mailbox before a second factor is set up during a sign-in.
    Enrol,
}

/// A row of `code_flows`: one code flow.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "code_flows")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key, which the browser holds.
    pub id: CodeFlowId,
    /// The email address that the caller entered, in normal form.
    pub email: String,
    /// The mail that carries the live code. A resend sets another mail, and the older code is no longer accepted.
    /// Null when the mail's row was deleted.
    pub email_id: Option<EmailId>,
    /// The realm of the user.
    pub realm: Realm,
    /// What the code is for.
    pub purpose: Purpose,
    /// The portal user who has the email address. Null until the worker has made the code, for an unknown address, and
    /// in the realm of staff users.
    pub portal_user_id: Option<PortalUserId>,
    /// The staff user who has the email address. Null until the worker has made the code, for an unknown address, and
    /// in the realm of portal users.
    pub staff_user_id: Option<StaffUserId>,
    /// The id of the known device on which the flow was started. Null when the device was not known.
    pub device: Option<String>,
    /// A keyed hash of the code in hexadecimal. It is keyed, because all six-digit codes could be tried against a
    /// plain hash. Null until the worker has made the code.
    pub code_hash: Option<String>,
    /// The fingerprint of the entry of `PORTICO_SECRET` from which the code is derived. Null until the worker has
    /// made the code.
    pub key_fingerprint: Option<String>,
    /// The number of attempts that were counted. After five the code is no longer accepted.
    pub misses: i32,
    /// When the code expires.
    pub expires_at: DateTimeUtc,
    /// When the code was used to sign in. Null while it is unused.
    pub used_at: Option<DateTimeUtc>,
    /// When the flow was started.
    pub created_at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
