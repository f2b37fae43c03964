//! One-time passwords of an authenticator app (TOTP, RFC 6238).
//!
//! A code has six digits and is that of a time step of 30 seconds, made with HMAC-SHA-1. These are the only parameters
//! that every app supports. The codes of the current step, of the one before and of the one after are accepted, and
//! each step once (RFC 6238 §5.2).

mod qr_code;
mod secret;
mod setup;

use portico_entity::{
    TotpSecretId, UserId,
    totp_secret::{self, Column, Entity},
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

use self::secret::TotpSecret;
use crate::platform::{
    app::App,
    error::Result,
    sealed::{self, Sealed, SealedRow},
    secret::PlainToken,
    tx::Tx,
};

pub use setup::Setup;
pub(crate) use setup::{begin, check as check_setup, confirm};

/// The name of the table, to which sealed secrets are bound.
const TABLE: &str = "totp_secrets";

/// A code that was right. Its step must still be [used](use_step).
#[derive(Clone, Copy, Debug)]
pub(crate) struct RightCode {
    secret: TotpSecretId,
    step: i64,
}

/// Returns the confirmed secret of the user; `None` if they have none.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn find(db: &impl ConnectionTrait, user: UserId) -> Result<Option<totp_secret::Model>> {
    Ok(Entity::find().filter(owned_by(user)).filter(Column::ConfirmedAt.is_not_null()).one(db).await?)
}

/// Checks `code` against the secret. Returns the step of a right code that was not used yet, and `None` for a wrong or
/// a used code.
///
/// # Errors
/// `internal` if the secret cannot be opened.
pub(crate) fn check(app: &App, row: &totp_secret::Model, code: &PlainToken) -> Result<Option<RightCode>> {
    let step = open(app, row)?.matching_step(code, app.now());
    Ok(step.filter(|step| row.last_step.is_none_or(|last| last < *step)).map(|step| RightCode { secret: row.id, step }))
}

/// Marks the step of a right code as used. Returns whether it was unused: of concurrent uses of one code, one succeeds.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn use_step(tx: &Tx, code: RightCode) -> Result<bool> {
    let used = Entity::update_many()
        .col_expr(Column::LastStep, Expr::value(code.step))
        .filter(Column::Id.eq(code.secret))
        .filter(Condition::any().add(Column::LastStep.is_null()).add(Column::LastStep.lt(code.step)))
        .exec(tx.db())
        .await?;
    Ok(used.rows_affected == 1)
}

/// Deletes the secrets of the user, also one that is not confirmed.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn delete(tx: &Tx, user: UserId) -> Result<()> {
    Entity::delete_many().filter(owned_by(user)).exec(tx.db()).await?;
    Ok(())
}

/// Opens the sealed secret of a row.
fn open(app: &App, row: &totp_secret::Model) -> Result<TotpSecret> {
    let sealed = Sealed { text: row.sealed.clone(), key_fingerprint: row.key_fingerprint.clone() };
    TotpSecret::from_bytes(&sealed::open(app, sealed_row(row.id), &sealed)?)
}

fn sealed_row(id: TotpSecretId) -> SealedRow {
    SealedRow { table: TABLE, id: id.0 }
}

fn owned_by(user: UserId) -> Condition {
    Condition::all().add(match user {
        UserId::Portal(id) => Column::PortalUserId.eq(id),
        UserId::Staff(id) => Column::StaffUserId.eq(id),
    })
}
