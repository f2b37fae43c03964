//! The mail with a staff sign-in code.

use portico_entity::{
    StaffUserId,
    code_flow::{self, Column},
    email, staff_user, tenant,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};

use super::code::{MAX_MISSES, code, hash};
use crate::{
    identity::staff_codes::StaffCodeSettings,
    platform::{
        app::App,
        error::Result,
        mail::{self, ComposeError, Composed},
    },
    tenancy::tenants::Brand,
};

/// The most flows of one staff user that may have a live code at the same time. A further flow gets no code; it does
/// not replace an older one. So an attacker who requests codes cannot end the owner's flow.
///
/// The flows of each known device are counted separately, so an attacker cannot use up the owner's flows either.
const MAX_LIVE_FLOWS: u64 = 3;

/// The context of the templates.
pub(crate) struct CodeEmail {
    brand: Brand,
    /// The staff user's name.
    name: String,
    /// The six digits.
    code: String,
    /// The lifetime of a code in minutes, rounded up.
    minutes: u64,
}

mail::templates!(
    CodeEmail,
    English: "identity/staff_codes/code_email/en.txt",
    German: "identity/staff_codes/code_email/de.txt",
    French: "identity/staff_codes/code_email/fr.txt",
    Spanish: "identity/staff_codes/code_email/es.txt",
);

#[cfg(test)]
impl mail::checks::Example for CodeEmail {
    fn example(language: crate::platform::language::Language, is_complete: bool) -> Self {
        Self {
            brand: Brand::example(language),
            name: mail::checks::NAME.into(),
            code: mail::checks::CODE.into(),
            minutes: if is_complete { 10 } else { 1 },
        }
    }
}

/// Composes the mail of the `emails` row. The worker looks the staff user up here; the request did not.
///
/// The mail is suppressed when no enabled staff user has the email address, when the tenant is suspended, when a
/// resend has replaced the mail, or when the staff user has three live codes. If the entry of `PORTICO_SECRET` that
/// made the code was removed, another mail with a new code takes the place of this one.
///
/// # Errors
/// A [`ComposeError::Job`] if the database or a template fails. A [`ComposeError::Mail`] if the recipient is not a
/// valid address.
pub(crate) async fn compose(app: &App, row: &email::Model) -> std::result::Result<Composed, ComposeError> {
    let found = staff_user::Entity::find()
        .find_also_related(tenant::Entity)
        .filter(staff_user::Column::Email.eq(&row.recipient))
        .filter(staff_user::Column::DisabledAt.is_null())
        .filter(tenant::Column::Status.eq(tenant::Status::Active))
        .one(app.db())
        .await?;
    let Some((user, _)) = found else { return Ok(Composed::Suppressed("no staff user has this address")) };
    // The newest mail of the flow carries the code. If no flow names this mail, a resend has replaced it.
    let Some(flow) = code_flow::Entity::find().filter(Column::EmailId.eq(row.id)).one(app.db()).await? else {
        return Ok(Composed::Suppressed("replaced by a newer code"));
    };
    if flow.code_hash.is_none() && live_flows(app, user.id, flow.device.as_deref()).await? >= MAX_LIVE_FLOWS {
        return Ok(Composed::Suppressed("three codes are already live"));
    }
    let key = match &flow.key_fingerprint {
        None => app.keys().newest(),
        Some(fingerprint) => match app.keys().by_fingerprint(fingerprint) {
            Some(key) => key,
            None => return Ok(Composed::Suppressed(replace(app, row, &flow).await?)),
        },
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
        brand: Brand::of_staff_user(app, &user).await?,
        name: mail::defuse_links(&user.name),
        code: code.reveal().to_owned(),
        minutes: app.section::<StaffCodeSettings>().code_ttl.as_secs().div_ceil(60),
    };
    Ok(mail::message(row, render(&context)?)?)
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

/// Counts the flows of `user` with a live code that were started at `device`, or without a known device when it is
/// `None`.
async fn live_flows(app: &App, user: StaffUserId, device: Option<&str>) -> Result<u64> {
    let same_device = match device {
        Some(device) => Column::Device.eq(device),
        None => Column::Device.is_null(),
    };
    let count = code_flow::Entity::find()
        .filter(Column::StaffUserId.eq(user))
        .filter(same_device)
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
