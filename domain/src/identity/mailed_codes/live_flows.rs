//! The code that a mail carries, and how many codes of one user may be live.

use portico_entity::{
    UserId,
    code_flow::{self, Column},
    email,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};

use super::code::{MAX_MISSES, code, hash};
use crate::platform::{
    app::App,
    error::Result,
    mail::{self, Composed},
    secret::PlainToken,
};

/// The most flows of one user that may have a live code at the same time. A further flow gets no code; it does not
/// replace an older one. So an attacker who requests codes cannot end the owner's flow.
///
/// The flows of each known device are counted separately, so an attacker cannot use up the owner's flows either.
const MAX_LIVE_FLOWS: u64 = 3;

/// Makes the code that the mail `row` to `user` carries, and stores its hash in the flow.
///
/// Returns the reason to suppress the mail if a resend has replaced it, or if the user has three live codes. If the
/// entry of `PORTICO_SECRET` that made the code was removed, another mail with a new code takes the place of this one.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(super) async fn make_code(
    app: &App,
    row: &email::Model,
    user: UserId,
) -> Result<std::result::Result<PlainToken, Composed>> {
    let replaced = || Ok(Err(Composed::Suppressed("replaced by a newer code")));
    // The newest mail of the flow carries the code. If no flow names this mail, a resend has replaced it.
    let Some(flow) = code_flow::Entity::find().filter(Column::EmailId.eq(row.id)).one(app.db()).await? else {
        return replaced();
    };
    if flow.code_hash.is_none() && live_flows(app, user, &flow).await? >= MAX_LIVE_FLOWS {
        return Ok(Err(Composed::Suppressed("three codes are already live")));
    }
    let key = match &flow.key_fingerprint {
        None => app.keys().newest(),
        Some(fingerprint) => match app.keys().by_fingerprint(fingerprint) {
            Some(key) => key,
            None => return Ok(Err(Composed::Suppressed(replace(app, row, &flow).await?))),
        },
    };
    let code = code(key, flow.id, row.id);
    let stored = code_flow::Entity::update_many()
        .col_expr(Column::CodeHash, Expr::value(hash(key, flow.id, &code)))
        .col_expr(Column::KeyFingerprint, Expr::value(key.fingerprint()))
        .col_expr(Column::PortalUserId, Expr::value(user.portal()))
        .col_expr(Column::StaffUserId, Expr::value(user.staff()))
        .filter(Column::Id.eq(flow.id))
        .filter(Column::EmailId.eq(row.id))
        .exec(app.db())
        .await?;
    if stored.rows_affected == 0 { replaced() } else { Ok(Ok(code)) }
}

/// Enqueues a mail with a new code in place of `row`, because the entry of `PORTICO_SECRET` that made the code of
/// `flow` was removed. The misses stay. Returns the reason why `row` is not sent.
async fn replace(app: &App, row: &email::Model, flow: &code_flow::Model) -> Result<&'static str> {
    let mut tx = app.begin().await?;
    let Some(new) = mail::replace(&mut tx, row).await? else { return Ok(mail::REPLACED) };
    let assigned = code_flow::Entity::update_many()
        .col_expr(Column::EmailId, Expr::value(new))
        .col_expr(Column::CodeHash, Expr::value(None::<String>))
        .col_expr(Column::KeyFingerprint, Expr::value(None::<String>))
        .filter(Column::Id.eq(flow.id))
        .filter(Column::EmailId.eq(row.id))
        .exec(tx.db())
        .await?;
    if assigned.rows_affected == 0 {
        // Without a commit, the new mail does not exist.
        return Ok("replaced by a newer code");
    }
    tx.commit().await?;
    Ok(mail::REPLACED)
}

/// Counts the flows of `user` with a live code and the purpose of `flow` that were started at the same known device, or
/// without one.
async fn live_flows(app: &App, user: UserId, flow: &code_flow::Model) -> Result<u64> {
    let same_device = match &flow.device {
        Some(device) => Column::Device.eq(device),
        None => Column::Device.is_null(),
    };
    let owner = match user {
        UserId::Portal(id) => Column::PortalUserId.eq(id),
        UserId::Staff(id) => Column::StaffUserId.eq(id),
    };
    let count = code_flow::Entity::find()
        .filter(owner)
        .filter(same_device)
        .filter(Column::Purpose.eq(flow.purpose))
        .filter(Column::CodeHash.is_not_null())
        // The code of a removed server key is dead.
        .filter(Column::KeyFingerprint.is_in(app.keys().fingerprints()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::Misses.lt(MAX_MISSES))
        .filter(super::not_expired(app))
        .count(app.db())
        .await?;
    Ok(count)
}
