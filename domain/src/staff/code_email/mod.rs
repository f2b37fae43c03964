//! The mail with a staff sign-in code.

use portico_entity::{
    StaffUserId,
    code_flow::{self, Column},
    email, staff_user, tenant,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};

use super::code::{MAX_MISSES, code, hash};
use crate::{
    app::App,
    error::{Error, Result},
    mail::{self, Brand, ComposeError, Composed},
};

/// How many flows of one person may have a live code. A further one gets none, so that a stranger who asks for codes
/// cannot push yours out. Those that were begun at a known device are counted apart: strangers cannot keep yours away.
const MAX_LIVE_FLOWS: u64 = 3;

pub(crate) struct CodeEmail {
    brand: Brand,
    name: String,
    code: String,
    minutes: u64,
}

mail::templates!(CodeEmail, "staff/code_email/subject.txt", "staff/code_email/body.txt", "staff/code_email/body.html");

/// Here, and not in the request, it turns out whether the address is of staff.
pub(crate) async fn compose(app: &App, row: &email::Model) -> std::result::Result<Composed, ComposeError> {
    let found = staff_user::Entity::find()
        .find_also_related(tenant::Entity)
        .filter(staff_user::Column::Email.eq(&row.recipient))
        .filter(staff_user::Column::DisabledAt.is_null())
        .filter(tenant::Column::Status.eq(tenant::Status::Active))
        .one(app.db())
        .await?;
    let Some((user, Some(tenant))) = found else { return Ok(Composed::Suppressed("nobody of staff has this address")) };
    // The newest mail of the flow carries its code; an older one was overtaken by a resend.
    let Some(flow) = code_flow::Entity::find().filter(Column::EmailId.eq(row.id)).one(app.db()).await? else {
        return Ok(Composed::Suppressed("replaced by a newer code"));
    };
    if flow.code_hash.is_none() && live_flows(app, user.id, flow.device.as_deref()).await? >= MAX_LIVE_FLOWS {
        return Ok(Composed::Suppressed("three codes are live already"));
    }
    let key = match &flow.key_fingerprint {
        None => app.keys().newest(),
        Some(made) => app.keys().by_fingerprint(made).ok_or_else(|| {
            Error::Internal(format!("the entry {made} of PORTICO_SECRET, which made a code, is gone"))
        })?,
    };
    let code = code(key, flow.id, row.id);
    let stored = code_flow::Entity::update_many()
        .col_expr(Column::CodeHash, Expr::value(hash(key, flow.id, &code)))
        .col_expr(Column::KeyFingerprint, Expr::value(key.fingerprint()))
        .col_expr(Column::StaffUserId, Expr::value(user.id))
        .filter(Column::Id.eq(flow.id))
        .filter(Column::EmailId.eq(row.id))
        .exec(app.db())
        .await?;
    if stored.rows_affected == 0 {
        return Ok(Composed::Suppressed("replaced by a newer code"));
    }
    let context = CodeEmail {
        brand: Brand::of_tenant(app, tenant.id, None).await?,
        name: mail::defuse_links(&user.name),
        code: code.reveal().to_owned(),
        minutes: app.settings().link_tokens.code_ttl.as_secs().div_ceil(60),
    };
    Ok(mail::message(row, render(&context)?)?)
}

async fn live_flows(app: &App, user: StaffUserId, device: Option<&str>) -> Result<u64> {
    let same_device = match device {
        Some(device) => Column::Device.eq(device),
        None => Column::Device.is_null(),
    };
    let count = code_flow::Entity::find()
        .filter(Column::StaffUserId.eq(user))
        .filter(same_device)
        .filter(Column::CodeHash.is_not_null())
        .filter(Column::UsedAt.is_null())
        .filter(Column::Misses.lt(MAX_MISSES))
        .filter(Column::ExpiresAt.gt(app.now()))
        .count(app.db())
        .await?;
    Ok(count)
}
