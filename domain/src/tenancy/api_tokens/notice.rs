//! The mails about an API token: that it was created, and that it expires soon.
//!
//! The owner of a personal access token gets them. For the token of a service account, all owners of the tenant do.

use portico_entity::{
    api_token,
    email::{self, Kind},
    service_account,
    staff_user::{self, Column, Role},
    tenant,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    platform::{
        app::App,
        clock::Time,
        email_address::EmailAddress,
        error::Result,
        mail::{self, ComposeError, Composed, NewEmail, Rendered, defuse_links},
        tx::Tx,
    },
    tenancy::tenants::Brand,
};

/// The values of the templates.
pub(crate) struct TokenEmail {
    pub(super) brand: Brand,
    /// The name of the recipient.
    pub(super) name: String,
    /// The name of the token.
    pub(super) token_name: String,
    /// The beginning of the token.
    pub(super) prefix: String,
    /// The name of the service account. `None` for a personal access token.
    pub(super) account: Option<String>,
    /// The name of the staff user who created the token. `None` if that staff user was removed.
    pub(super) creator: Option<String>,
    /// The permissions, separated by commas.
    pub(super) scopes: String,
    pub(super) created_at: Time,
    pub(super) expires_at: Time,
    pub(super) sign_in_url: String,
}

#[cfg(test)]
impl mail::checks::Example for TokenEmail {
    fn example(language: crate::platform::language::Language, is_complete: bool) -> Self {
        Self {
            brand: Brand::example(language),
            name: mail::checks::NAME.into(),
            token_name: "Nightly export".into(),
            prefix: "prt_abc".into(),
            account: is_complete.then(|| "Sync".into()),
            creator: is_complete.then(|| "Olga".into()),
            scopes: "clients:read".into(),
            created_at: "2026-03-03T09:05:00Z".parse().unwrap(),
            expires_at: "2026-03-03T09:05:00Z".parse().unwrap(),
            sign_in_url: mail::checks::URL.into(),
        }
    }
}

/// Enqueues mails of this `kind` about the token.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn enqueue(tx: &mut Tx, kind: Kind, token: &api_token::Model) -> Result<()> {
    let live =
        staff_user::Entity::find().filter(Column::DisabledAt.is_null()).filter(Column::TenantId.eq(token.tenant_id));
    let recipients = match token.staff_user_id {
        Some(user) => live.filter(Column::Id.eq(user)),
        None => live.filter(Column::Role.eq(Role::Owner)).order_by_asc(Column::Id),
    };
    let caused_by = tx.request_id();
    let mut mails = Vec::new();
    for user in recipients.all(tx.db()).await? {
        let to = EmailAddress::stored(&user.email)?;
        let mail = NewEmail {
            tenant: Some(token.tenant_id),
            staff_user: Some(user.id),
            api_token: Some(token.id),
            ..NewEmail::new(kind, &to)
        };
        mails.push((mail, caused_by));
    }
    mail::enqueue_all(tx, mails).await?;
    Ok(())
}

/// Composes the mail of the `emails` row `row` with the templates of `render`.
///
/// Returns [`Composed::Suppressed`] if the recipient was removed or disabled, if the tenant is suspended, if the token
/// no longer exists, or, for a mail that the token expires, if it was revoked.
///
/// # Errors
/// A failed database query, template or message.
pub(crate) async fn compose(
    app: &App,
    row: &email::Model,
    render: fn(&TokenEmail) -> std::result::Result<Rendered, askama::Error>,
) -> std::result::Result<Composed, ComposeError> {
    let (Some(token), Some(user)) = (row.api_token_id, row.staff_user_id) else {
        return Ok(Composed::Suppressed("the token no longer exists"));
    };
    let recipient = staff_user::Entity::find_by_id(user).find_also_related(tenant::Entity).one(app.db()).await?;
    let Some((user, Some(tenant))) = recipient.filter(|(user, _)| user.disabled_at.is_none()) else {
        return Ok(Composed::Suppressed("the staff user no longer exists"));
    };
    if tenant.status == tenant::Status::Suspended {
        return Ok(Composed::Suppressed("the tenant is suspended"));
    }
    let found = api_token::Entity::find_by_id(token).find_also_related(service_account::Entity).one(app.db()).await?;
    let Some((token, account)) = found else { return Ok(Composed::Suppressed("the token no longer exists")) };
    // The notice of a token that was created and revoked at once is still of interest.
    if row.kind == Kind::TokenExpiring && token.revoked_at.is_some() {
        return Ok(Composed::Suppressed("the token was revoked"));
    }
    let creator = match token.created_by {
        Some(id) => staff_user::Entity::find_by_id(id).one(app.db()).await?,
        None => None,
    };
    let context = TokenEmail {
        brand: Brand::of_staff_user(app, &user).await?,
        name: defuse_links(&user.name),
        token_name: defuse_links(&token.name),
        prefix: token.prefix,
        account: account.map(|account| defuse_links(&account.name)),
        creator: creator.map(|creator| defuse_links(&creator.name)),
        scopes: token.scopes.replace(' ', ", "),
        created_at: token.created_at,
        expires_at: token.expires_at,
        sign_in_url: app.public_url("/console/sign-in"),
    };
    Ok(mail::message(row, render(&context)?)?)
}
