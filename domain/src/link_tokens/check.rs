//! What a link is for, told to its holder.

use portico_entity::link_token::Purpose;

use crate::{actor::Anonymous, app::App, clock::Time, error::Result, secret::PlainToken};

/// What the holder of a link may know.
#[derive(Clone, Debug)]
pub struct LinkInfo {
    /// What the link does.
    pub purpose: Purpose,
    /// Whose it is.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// The client they were invited to; none for a reset.
    pub client_name: Option<String>,
    /// When it dies.
    pub expires_at: Time,
}

/// Tells what a link is for. Spends nothing, so a page may ask before it shows a form.
///
/// # Errors
/// `token_unknown`; `token_used`, `token_revoked` or `token_expired`, whose holder already knew that it existed.
pub async fn check(app: &App, _caller: &Anonymous, token: &PlainToken) -> Result<LinkInfo> {
    let link = super::find(app, token).await?;
    link.check_live(app.now())?;
    let (name, client_name) = match link.invitation {
        Some(invited) => (invited.invitation.name, Some(invited.client.name)),
        None => (link.user.name, None),
    };
    Ok(LinkInfo {
        purpose: link.token.purpose,
        email: link.user.email,
        name,
        client_name,
        expires_at: link.token.expires_at,
    })
}
