//! Sign-ins from unknown devices: the notice to the owner of the account, and the link with which the owner reports
//! that it was another person.

pub(crate) mod new_device_email;
mod report;

use portico_entity::{email::Kind, portal_user, session};

use crate::{
    identity::link_tokens::NOT_ME_TTL,
    platform::{
        email_address::EmailAddress,
        error::Result,
        mail::{self, NewEmail},
        tx::Tx,
    },
};

pub use report::report;

/// Enqueues the notice that `user` has opened `session` from an unknown device. It concerns the user and not a tenant,
/// so it appears in no tenant's mail log.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn enqueue_notice(tx: &mut Tx, user: &portal_user::Model, session: &session::Model) -> Result<()> {
    let to = EmailAddress::stored(&user.email)?;
    let mail = NewEmail {
        portal_user: Some(user.id),
        session: Some(session.id),
        expires_at: Some(tx.app().now() + NOT_ME_TTL),
        ..NewEmail::new(Kind::NewDevice, &to)
    };
    mail::enqueue(tx, mail).await?;
    Ok(())
}
