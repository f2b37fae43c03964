//! Reading what a link is for, without using it.

use portico_entity::link_token::Purpose;

use crate::{
    platform::{actor::Anonymous, app::App, clock::Time, error::Result, secret::PlainToken},
    tenancy::{
        branding::{self, TenantContact},
        tenants,
    },
};

/// The information about a link that [`check`] returns to the holder of its secret.
#[derive(Clone, Debug)]
pub struct LinkInfo {
    /// The purpose of the link.
    pub purpose: Purpose,
    /// The address of the portal user that the link was mailed to.
    pub email: String,
    /// The portal user's name. For an invitation, the name that the tenant typed.
    pub name: String,
    /// The name of the client to which the portal user is invited; `None` for a reset link.
    pub client_name: Option<String>,
    /// The tenant that the mail of the link shows; `None` if it shows the neutral brand.
    pub tenant: Option<TenantContact>,
    /// The time at which the link expires.
    pub expires_at: Time,
}

/// Returns what a link is for. The link stays unused, so a page can call this before it shows a form.
///
/// # Errors
/// - `token_unknown`: no link has this secret.
/// - `token_used`, `token_revoked` or `token_expired`: the link is no longer valid. These codes reveal nothing,
///   because the holder of the secret already knows that the link existed.
/// - `unavailable` or `internal`: a database query failed.
pub async fn check(app: &App, _caller: &Anonymous, token: &PlainToken) -> Result<LinkInfo> {
    let link = super::find(app, token).await?;
    link.check_live(app.now())?;
    let (name, client_name, tenant) = match link.invitation {
        Some(invited) => {
            let tenant = branding::contact_of(app, invited.tenant.id).await?;
            (invited.invitation.name, Some(invited.client.name), tenant)
        }
        None => {
            // A forwarded link must not tell a tenant of the others.
            let tenant = match tenants::of_person(app.db(), link.user.id).await?.as_slice() {
                [tenant] => branding::contact_of(app, *tenant).await?,
                _ => None,
            };
            (link.user.name, None, tenant)
        }
    };
    Ok(LinkInfo {
        purpose: link.token.purpose,
        email: link.user.email,
        name,
        client_name,
        tenant,
        expires_at: link.token.expires_at,
    })
}
