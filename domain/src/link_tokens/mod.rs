//! Mailed links: one secret each, for one purpose, used once.
//!
//! The secret is derived from the server key and the row's id when the worker renders the mail, so a retry sends the
//! same link, and neither the database nor Redis alone can make one.

mod check;
mod renew;
mod settings;

use portico_entity::{
    LinkTokenId, client, email, invitation,
    link_token::{self, Column, Purpose},
    portal_user, tenant,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict, SimpleExpr},
};

use crate::{
    app::App,
    clock::Time,
    error::{Error, Result},
    keys::KeyUse,
    secret::PlainToken,
    tx::Tx,
};

pub use check::{LinkInfo, check};
pub use renew::renew;
pub use settings::LinkTokenSettings;

/// The most reset links of one person that are live at once.
const MAX_LIVE_RESETS: u64 = 3;

/// A link and whom it concerns.
pub(crate) struct LinkDetails {
    pub(crate) token: link_token::Model,
    pub(crate) user: portal_user::Model,
    pub(crate) invitation: Option<InvitationContext>,
}

/// The invitation behind a link.
pub(crate) struct InvitationContext {
    pub(crate) invitation: invitation::Model,
    pub(crate) client: client::Model,
    pub(crate) tenant: tenant::Model,
}

/// The link that the mail of `email` carries: made once, then derived again. None when it has died since it was made, or
/// when the person needs another kind of link by now: a retried mail must not carry a dead one.
///
/// # Errors
/// When the database fails, or the entry of `PORTICO_SECRET` that made it is gone.
pub(crate) async fn issue(
    app: &App,
    email: &email::Model,
    purpose: Purpose,
    user: &portal_user::Model,
    invitation: Option<&invitation::Model>,
) -> Result<Option<PlainToken>> {
    let key = app.keys().newest();
    let id = LinkTokenId(app.new_id());
    // Every lifetime counts from the act, not from when the worker came to it.
    let expires_at = match invitation {
        Some(invitation) => invitation.expires_at,
        None => email.created_at + app.settings().link_tokens.reset_ttl,
    };
    let row = link_token::ActiveModel {
        id: Set(id),
        purpose: Set(purpose),
        portal_user_id: Set(user.id),
        invitation_id: Set(invitation.map(|invitation| invitation.id)),
        email_id: Set(Some(email.id)),
        secret_hash: Set(secret(app, id, key.fingerprint())?.hashed().0),
        key_fingerprint: Set(key.fingerprint().into()),
        credential_version: Set(user.credential_version),
        issued_at: Set(email.created_at),
        expires_at: Set(expires_at),
        used_at: Set(None),
        revoked_at: Set(None),
        created_at: Set(app.now()),
    };
    link_token::Entity::insert(row)
        .on_conflict(OnConflict::column(Column::EmailId).do_nothing().to_owned())
        .exec_without_returning(app.db())
        .await?;
    let row = link_token::Entity::find()
        .filter(Column::EmailId.eq(email.id))
        .one(app.db())
        .await?
        .ok_or_else(|| Error::Internal("the mail's token has vanished".into()))?;
    let is_of_now = purpose == Purpose::Accept || row.credential_version == user.credential_version;
    if row.purpose != purpose || row.used_at.is_some() || row.revoked_at.is_some() || !is_of_now {
        return Ok(None);
    }
    if purpose == Purpose::Reset {
        revoke_older_resets(app, user).await?;
    }
    secret(app, row.id, &row.key_fingerprint).map(Some)
}

/// Looks a link up by its secret.
///
/// # Errors
/// `token_unknown` when there is none, whatever its shape.
pub(crate) async fn find(app: &App, secret: &PlainToken) -> Result<LinkDetails> {
    load(app.db(), Column::SecretHash.eq(secret.hashed().0)).await
}

async fn load(db: &impl ConnectionTrait, which: SimpleExpr) -> Result<LinkDetails> {
    let (token, user) = link_token::Entity::find()
        .find_also_related(portal_user::Entity)
        .filter(which)
        .one(db)
        .await?
        .ok_or(Error::TOKEN_UNKNOWN)?;
    let user = user.ok_or(Error::TOKEN_UNKNOWN)?;
    let invitation = match token.invitation_id {
        None => None,
        Some(id) => invitation::Entity::find_by_id(id)
            .find_also_related(client::Entity)
            .find_also(client::Entity, tenant::Entity)
            .one(db)
            .await?
            .and_then(|(invitation, client, tenant)| {
                Some(InvitationContext { invitation, client: client?, tenant: tenant? })
            }),
    };
    Ok(LinkDetails { token, user, invitation })
}

impl LinkDetails {
    /// Whether it may still do its work.
    ///
    /// # Errors
    /// `token_used`, `token_revoked` or `token_expired`.
    pub(crate) fn check_live(&self, now: Time) -> Result<()> {
        if self.token.used_at.is_some() { Err(Error::TOKEN_USED) } else { self.check_valid(now) }
    }

    fn check_valid(&self, now: Time) -> Result<()> {
        if self.is_revoked() {
            Err(Error::TOKEN_REVOKED)
        } else if self.is_expired(now) {
            Err(Error::TOKEN_EXPIRED)
        } else {
            Ok(())
        }
    }

    /// As [`check_live`](Self::check_live), and that it was made for `purpose`.
    ///
    /// # Errors
    /// Also `token_unknown` for a link of another purpose.
    pub(crate) fn check_for(&self, purpose: Purpose, now: Time) -> Result<()> {
        if self.token.purpose != purpose {
            return Err(Error::TOKEN_UNKNOWN);
        }
        self.check_live(now)
    }

    fn is_expired(&self, now: Time) -> bool {
        let invitation = self.invitation.as_ref().map(|invited| invited.invitation.status);
        self.token.expires_at <= now || invitation == Some(invitation::Status::Expired)
    }

    fn is_revoked(&self) -> bool {
        let token = &self.token;
        let withdrawn = self.invitation.as_ref().is_some_and(|InvitationContext { invitation, client, tenant }| {
            matches!(invitation.status, invitation::Status::Accepted | invitation::Status::Cancelled)
                || token.issued_at < invitation.links_valid_from
                || client.status == client::Status::Archived
                || tenant.status == tenant::Status::Suspended
        });
        withdrawn
            || token.revoked_at.is_some()
            || token.credential_version != self.user.credential_version && token.purpose != Purpose::Accept
            || self.user.disabled_at.is_some()
            // A setup link must never touch an account that has a password.
            || token.purpose == Purpose::Activation && self.user.password_phc.is_some()
    }
}

/// Uses the link up: one conditional UPDATE, so of any number at once one wins. Then looks at it again, since hashing a
/// password takes long enough for a link to be revoked or to expire.
///
/// # Errors
/// `token_used` for all others; `token_revoked` or `token_expired`.
pub(crate) async fn consume(tx: &mut Tx, token: &link_token::Model) -> Result<()> {
    let now = tx.app().now();
    let used = link_token::Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::Id.eq(token.id))
        .filter(Column::UsedAt.is_null())
        .filter(Column::RevokedAt.is_null())
        .exec(tx.db())
        .await?;
    if used.rows_affected == 0 {
        // Somebody else has used it, or it was revoked: the row says which.
        load(tx.db(), Column::Id.eq(token.id)).await?.check_live(now)?;
        return Err(Error::TOKEN_USED);
    }
    load(tx.db(), Column::Id.eq(token.id)).await?.check_valid(now)
}

fn secret(app: &App, id: LinkTokenId, fingerprint: &str) -> Result<PlainToken> {
    let key = app.keys().by_fingerprint(fingerprint).ok_or_else(|| {
        Error::Internal(format!("the entry {fingerprint} of PORTICO_SECRET, which made a link, is gone"))
    })?;
    Ok(PlainToken::from_bytes(&key.mac(KeyUse::Link, &[id.0.as_bytes()])))
}

async fn revoke_older_resets(app: &App, user: &portal_user::Model) -> Result<()> {
    let older = link_token::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::PortalUserId.eq(user.id))
        .filter(Column::Purpose.eq(Purpose::Reset))
        .filter(Column::UsedAt.is_null())
        .filter(Column::RevokedAt.is_null())
        .order_by_desc(Column::IssuedAt)
        .order_by_desc(Column::Id)
        .offset(MAX_LIVE_RESETS)
        .limit(1_000)
        .into_tuple::<LinkTokenId>()
        .all(app.db())
        .await?;
    if !older.is_empty() {
        link_token::Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(app.now()))
            .filter(Column::Id.is_in(older))
            .exec(app.db())
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sea_orm::{ActiveModelTrait, IntoActiveModel};

    use super::*;
    use crate::testing::{self, TestApp};

    /// A reset link of somebody new. Nothing but `consume` stands between it and a second use.
    async fn link(app: &TestApp) -> link_token::Model {
        let user = app.person().await;
        let row = link_token::Model {
            id: LinkTokenId(app.new_id()),
            purpose: Purpose::Reset,
            portal_user_id: user.id,
            invitation_id: None,
            email_id: None,
            secret_hash: "hash".into(),
            key_fingerprint: app.keys().newest().fingerprint().into(),
            credential_version: 0,
            issued_at: app.now(),
            expires_at: app.now() + app.settings().link_tokens.reset_ttl,
            used_at: None,
            revoked_at: None,
            created_at: app.now(),
        };
        row.into_active_model().insert(app.db()).await.unwrap()
    }

    async fn consumed(app: &App, token: &link_token::Model) -> Result<()> {
        let mut tx = app.begin().await?;
        consume(&mut tx, token).await?;
        tx.commit().await
    }

    #[tokio::test]
    async fn a_link_is_consumed_once_and_not_by_who_gave_up() {
        let app = testing::app().await;
        let token = link(&app).await;
        let mut tx = app.begin().await.unwrap();
        consume(&mut tx, &token).await.unwrap();
        drop(tx);
        consumed(&app, &token).await.unwrap();
        // Whoever read the row before that finds out now.
        for _ in 0..2 {
            assert!(matches!(consumed(&app, &token).await, Err(Error::Gone("token_used"))));
        }
    }

    #[tokio::test]
    async fn what_was_revoked_or_expired_since_it_was_read_is_not_consumed() {
        let app = testing::app().await;
        let token = link(&app).await;
        let revoke = async |at: Option<Time>| {
            let update = link_token::Entity::update_many().col_expr(Column::RevokedAt, Expr::value(at));
            update.exec(app.db()).await.unwrap();
        };
        revoke(Some(app.now())).await;
        assert!(matches!(consumed(&app, &token).await, Err(Error::Gone("token_revoked"))));
        revoke(None).await;
        app.clock().advance(chrono::TimeDelta::minutes(31));
        assert!(matches!(consumed(&app, &token).await, Err(Error::Gone("token_expired"))));
    }
}
