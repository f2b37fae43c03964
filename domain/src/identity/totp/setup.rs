//! Setting up an authenticator app.

use chrono::TimeDelta;
use portico_entity::{
    TotpSecretId,
    totp_secret::{self, Column, Entity},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};

use super::{RightCode, owned_by, qr_code, sealed_row, secret::TotpSecret};
use crate::platform::{
    actor::User,
    app::App,
    clock::{MAX_CLOCK_ERROR, Time},
    error::Result,
    sealed,
    secret::PlainToken,
    tx::Tx,
};

/// How long a setup can be confirmed.
const SETUP_TTL: TimeDelta = TimeDelta::minutes(10);

/// A secret that the user has not confirmed yet, as the page shows it once.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The secret in base32, to be typed into an app.
    pub secret: PlainToken,
    /// The `otpauth` URI with the secret.
    pub uri: PlainToken,
    /// The QR code of the URI, as an SVG document.
    pub qr_svg: PlainToken,
    /// When the setup can no longer be confirmed.
    pub expires_at: Time,
}

/// Stores a new secret for `user`, which does nothing until it is [confirmed](confirm), and returns it. A former setup
/// that was not confirmed is deleted. A confirmed secret stays in use.
///
/// `issuer` is the name that the app shows. The caller must have locked the user's row.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn begin(tx: &Tx, user: &User, issuer: &str) -> Result<Setup> {
    let app = tx.app();
    let secret = TotpSecret::generate(app);
    let id = TotpSecretId(app.new_id());
    let sealed = sealed::seal(app, sealed_row(id), secret.bytes())?;
    Entity::delete_many().filter(owned_by(user.id())).filter(Column::ConfirmedAt.is_null()).exec(tx.db()).await?;
    let row = totp_secret::ActiveModel {
        id: Set(id),
        portal_user_id: Set(user.id().portal()),
        staff_user_id: Set(user.id().staff()),
        sealed: Set(sealed.text),
        key_fingerprint: Set(sealed.key_fingerprint),
        factors_version: Set(user.versions().factors),
        last_step: Set(None),
        created_at: Set(app.now()),
        confirmed_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(tx.db()).await?;
    let uri = secret.uri(issuer, user.email()?.as_str())?;
    let qr_svg = qr_code::svg(&uri)?;
    Ok(Setup { secret: secret.base32(), uri, qr_svg, expires_at: app.now() + SETUP_TTL })
}

/// Checks `code` against the newest setup of `user` that is not confirmed. Returns `None` if the code is wrong, or if
/// there is no setup that can be confirmed.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn check(app: &App, user: &User, code: &PlainToken) -> Result<Option<RightCode>> {
    let now = app.now();
    let row = Entity::find()
        .filter(owned_by(user.id()))
        .filter(Column::ConfirmedAt.is_null())
        .filter(Column::FactorsVersion.eq(user.versions().factors))
        // A setup of the future was stored by a process with a wrong clock.
        .filter(Column::CreatedAt.between(now - SETUP_TTL, now + MAX_CLOCK_ERROR))
        .order_by_desc(Column::CreatedAt)
        .one(app.db())
        .await?;
    match row {
        Some(row) => super::check(app, &row, code),
        None => Ok(None),
    }
}

/// Confirms the setup whose first code is `code`, and deletes the user's former secret. The step of the code is used
/// with it, so the code cannot be used again. Returns whether the setup could still be confirmed.
///
/// The caller must have locked the user's row.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn confirm(tx: &Tx, user: &User, code: RightCode) -> Result<bool> {
    let confirmed = Entity::update_many()
        .col_expr(Column::ConfirmedAt, Expr::value(tx.app().now()))
        .col_expr(Column::LastStep, Expr::value(code.step))
        .filter(Column::Id.eq(code.secret))
        .filter(Column::ConfirmedAt.is_null())
        .filter(Column::FactorsVersion.eq(user.versions().factors))
        .exec(tx.db())
        .await?;
    if confirmed.rows_affected == 0 {
        return Ok(false);
    }
    Entity::delete_many().filter(owned_by(user.id())).filter(Column::Id.ne(code.secret)).exec(tx.db()).await?;
    Ok(true)
}
