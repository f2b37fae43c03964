//! The mail that tells a new staff user who has invited them and where to sign in.

use portico_entity::{
    email::{self, Kind},
    staff_user, tenant,
};
use sea_orm::EntityTrait;

use crate::{
    platform::{
        app::App,
        email_address::EmailAddress,
        error::Result,
        mail::{self, ComposeError, Composed, NewEmail},
        tx::Tx,
    },
    tenancy::tenants::Brand,
};

/// The values of the templates.
pub(crate) struct StaffInvitationEmail {
    brand: Brand,
    /// The name of the new staff user.
    name: String,
    /// The name of the staff user who has invited them. `None` when the command line has added them.
    inviter: Option<String>,
    /// The address to sign in with.
    email: String,
    sign_in_url: String,
}

mail::templates!(
    StaffInvitationEmail,
    English: "tenancy/staff/invitation_email/en.txt",
    German: "tenancy/staff/invitation_email/de.txt",
    French: "tenancy/staff/invitation_email/fr.txt",
    Spanish: "tenancy/staff/invitation_email/es.txt",
);

#[cfg(test)]
impl mail::checks::Example for StaffInvitationEmail {
    fn example(language: crate::platform::language::Language, is_complete: bool) -> Self {
        Self {
            brand: Brand::example(language),
            name: mail::checks::NAME.into(),
            inviter: is_complete.then(|| "Olga".into()),
            email: "sam@x.test".into(),
            sign_in_url: mail::checks::URL.into(),
        }
    }
}

/// Enqueues the mail to the new staff user `user`.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn enqueue(tx: &mut Tx, user: &staff_user::Model) -> Result<()> {
    let to = EmailAddress::stored(&user.email)?;
    let mail = NewEmail {
        tenant: Some(user.tenant_id),
        staff_user: Some(user.id),
        ..NewEmail::new(Kind::StaffInvitation, &to)
    };
    mail::enqueue(tx, mail).await?;
    Ok(())
}

/// Composes the mail of the `emails` row `row`.
///
/// Returns [`Composed::Suppressed`] if the staff user was removed or disabled, or if the tenant is suspended.
///
/// # Errors
/// A failed database query, template or message.
pub(crate) async fn compose(app: &App, row: &email::Model) -> std::result::Result<Composed, ComposeError> {
    let Some(id) = row.staff_user_id else { return Ok(Composed::Suppressed("the staff user no longer exists")) };
    let found = staff_user::Entity::find_by_id(id).find_also_related(tenant::Entity).one(app.db()).await?;
    let Some((user, Some(tenant))) = found.filter(|(user, _)| user.disabled_at.is_none()) else {
        return Ok(Composed::Suppressed("the staff user no longer exists"));
    };
    if tenant.status == tenant::Status::Suspended {
        return Ok(Composed::Suppressed("the tenant is suspended"));
    }
    let inviter = match user.invited_by {
        Some(id) => staff_user::Entity::find_by_id(id).one(app.db()).await?,
        None => None,
    };
    let context = StaffInvitationEmail {
        brand: Brand::of_staff_user(app, &user).await?,
        name: mail::defuse_links(&user.name),
        inviter: inviter.map(|inviter| mail::defuse_links(&inviter.name)),
        email: user.email,
        sign_in_url: app.public_url("/console/sign-in"),
    };
    Ok(mail::message(row, render(&context)?)?)
}
