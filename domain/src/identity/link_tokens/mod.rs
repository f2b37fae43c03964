//! Link tokens: the secrets in mailed links. Each token has one purpose and can be used once.
//!
//! The worker derives the secret from the server key and the id of the `link_tokens` row when it renders the mail. A
//! retry therefore sends the same link, and a copy of the database or of Redis alone does not contain a valid link.

mod check;
mod correct_times;
mod renew;
mod settings;

use chrono::TimeDelta;
use portico_entity::{
    InvitationId, LinkTokenId, client, email, invitation,
    link_token::{self, Column, Purpose},
    portal_user, tenant,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict, SimpleExpr},
};

use crate::{
    platform::{
        app::App,
        clock::Time,
        error::{Error, Result},
        keys::{Key, KeyUse},
        mail::{self, Composed},
        secret::PlainToken,
        tx::Tx,
    },
    tenancy::client_admins,
};

pub use check::{LinkInfo, check};
pub use correct_times::CorrectLinkTimes;
pub use renew::renew;
pub use settings::LinkTokenSettings;

/// How long the link of a notice about an unknown device is valid, counted from the sign-in.
pub(crate) const NOT_ME_TTL: TimeDelta = TimeDelta::days(7);
/// The maximum number of reset links of one portal user that are valid at the same time.
const MAX_LIVE_RESETS: u64 = 3;

/// A link token with its portal user and its invitation.
pub(crate) struct LinkDetails {
    /// The `link_tokens` row.
    pub(crate) token: link_token::Model,
    /// The portal user that the link was mailed to.
    pub(crate) user: portal_user::Model,
    /// The invitation that the link belongs to; `None` for a reset link.
    pub(crate) invitation: Option<InvitationContext>,
    /// Whether the entry of `PORTICO_SECRET` that made the link was removed.
    is_key_removed: bool,
}

/// The invitation of a link, with its client and tenant.
pub(crate) struct InvitationContext {
    /// The `invitations` row.
    pub(crate) invitation: invitation::Model,
    /// The client to which the person is invited.
    pub(crate) client: client::Model,
    /// The tenant of the client.
    pub(crate) tenant: tenant::Model,
    /// Whether the colleague who has created the invitation is no longer an administrator of the client.
    is_inviter_gone: bool,
}

/// Returns the secret of the link that the mail `email` carries.
///
/// The first call inserts the `link_tokens` row; later calls derive the same secret again. The link expires with
/// `invitation`, or without one after [`NOT_ME_TTL`] or `PORTICO_RESET_TTL`, counted from the request for the mail. A
/// new reset link revokes the portal user's oldest reset links, so that at most [`MAX_LIVE_RESETS`] stay valid.
///
/// Returns the reason to suppress the mail if the link is used, revoked or outdated by a new password, or if the portal
/// user now needs a link of another purpose. A retried mail must not carry an invalid link.
///
/// Another mail with a new link takes the place of `email` if the entry of `PORTICO_SECRET` that made the link was
/// removed, or if the portal user has set a password through the link of another tenant since the first call. The mail
/// log of a tenant then looks as if the portal user were new.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub(crate) async fn issue(
    app: &App,
    email: &email::Model,
    purpose: Purpose,
    user: &portal_user::Model,
    invitation: Option<&invitation::Model>,
) -> Result<std::result::Result<PlainToken, Composed>> {
    let key = app.keys().newest();
    let id = LinkTokenId(app.new_id());
    // The lifetime counts from the request for the mail, not from the time at which the worker renders it.
    let expires_at = match (invitation, purpose) {
        (Some(invitation), _) => invitation.expires_at,
        (None, Purpose::NotMe) => email.created_at + NOT_ME_TTL,
        (None, Purpose::Reset | Purpose::Activation | Purpose::Accept) => {
            email.created_at + app.section::<LinkTokenSettings>().reset_ttl
        }
    };
    let row = link_token::ActiveModel {
        id: Set(id),
        purpose: Set(purpose),
        portal_user_id: Set(user.id),
        invitation_id: Set(invitation.map(|invitation| invitation.id)),
        email_id: Set(Some(email.id)),
        secret_hash: Set(secret(key, id).hashed().0),
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
        .ok_or_else(|| Error::Internal(format!("the link_tokens row of the mail {} is missing", email.id)))?;
    let is_activated_elsewhere = purpose == Purpose::Accept && row.purpose == Purpose::Activation;
    if is_activated_elsewhere && row.used_at.is_none() && row.revoked_at.is_none() {
        return replace(app, email).await;
    }
    let has_current_version = outlives_password(purpose) || row.credential_version == user.credential_version;
    if row.purpose != purpose || row.used_at.is_some() || row.revoked_at.is_some() || !has_current_version {
        return Ok(Err(Composed::Suppressed("the link is no longer valid")));
    }
    let Some(key) = app.keys().by_fingerprint(&row.key_fingerprint) else { return replace(app, email).await };
    if purpose == Purpose::Reset {
        revoke_older_resets(app, user).await?;
    }
    Ok(Ok(secret(key, row.id)))
}

/// Puts another mail with a new link in the place of `email`, and returns the reason to suppress it.
async fn replace(app: &App, email: &email::Model) -> Result<std::result::Result<PlainToken, Composed>> {
    let mut tx = app.begin().await?;
    mail::replace(&mut tx, email).await?;
    tx.commit().await?;
    Ok(Err(Composed::Suppressed(mail::REPLACED)))
}

/// Looks up a link by its secret.
///
/// The function does not check whether the link is still valid.
///
/// # Errors
/// - `token_unknown`: no link has this secret. Any text is accepted as a secret.
/// - `unavailable` or `internal`: a database query failed.
pub(crate) async fn find(app: &App, secret: &PlainToken) -> Result<LinkDetails> {
    load(app, app.db(), Column::SecretHash.eq(secret.hashed().0)).await
}

/// Loads the link `id`.
///
/// The function does not check whether the link is still valid.
///
/// # Errors
/// - `token_unknown`: there is no such link.
/// - `unavailable` or `internal`: a database query failed.
pub(crate) async fn load_by_id(tx: &Tx, id: LinkTokenId) -> Result<LinkDetails> {
    load(tx.app(), tx.db(), Column::Id.eq(id)).await
}

/// Loads the link token that matches the condition `which`, with its portal user and its invitation.
async fn load(app: &App, db: &impl ConnectionTrait, which: SimpleExpr) -> Result<LinkDetails> {
    let (token, user) = link_token::Entity::find()
        .find_also_related(portal_user::Entity)
        .filter(which)
        .one(db)
        .await?
        .ok_or(Error::TOKEN_UNKNOWN)?;
    let user = user.ok_or(Error::TOKEN_UNKNOWN)?;
    let invitation = match token.invitation_id {
        None => None,
        Some(id) => load_invitation(db, id).await?,
    };
    let is_key_removed = app.keys().by_fingerprint(&token.key_fingerprint).is_none();
    Ok(LinkDetails { token, user, invitation, is_key_removed })
}

/// Loads an invitation with its client and tenant. `None` if one of them no longer exists.
async fn load_invitation(db: &impl ConnectionTrait, id: InvitationId) -> Result<Option<InvitationContext>> {
    let found = invitation::Entity::find_by_id(id)
        .find_also_related(client::Entity)
        .find_also(client::Entity, tenant::Entity)
        .one(db)
        .await?;
    let Some((invitation, Some(client), Some(tenant))) = found else { return Ok(None) };
    let is_inviter_gone = match invitation.created_by_portal_user {
        Some(colleague) => !client_admins::is_admin_of(db, client.id, colleague).await?,
        None => false,
    };
    Ok(Some(InvitationContext { invitation, client, tenant, is_inviter_gone }))
}

impl LinkDetails {
    /// Checks that the link can still be used at the time `now`.
    ///
    /// # Errors
    /// The first that applies:
    /// - `token_used`: the link was used.
    /// - `token_revoked`: the link was revoked, its invitation, client, tenant or portal user no longer allows it, or
    ///   the entry of `PORTICO_SECRET` that made it was removed.
    /// - `token_expired`: the link or its invitation has expired.
    pub(crate) fn check_live(&self, now: Time) -> Result<()> {
        if self.token.used_at.is_some() { Err(Error::TOKEN_USED) } else { self.check_valid(now) }
    }

    /// Checks that the link is neither revoked nor expired; a used link passes.
    fn check_valid(&self, now: Time) -> Result<()> {
        if self.is_revoked() {
            Err(Error::TOKEN_REVOKED)
        } else if self.is_expired(now) {
            Err(Error::TOKEN_EXPIRED)
        } else {
            Ok(())
        }
    }

    /// Checks that the link has this `purpose` and can still be used at the time `now`.
    ///
    /// # Errors
    /// - `token_unknown`: the link has another purpose.
    /// - Otherwise the errors of [`check_live`](Self::check_live).
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
        self.invitation.as_ref().is_some_and(|invited| invited.is_withdrawn(token))
            || self.is_key_removed
            || token.revoked_at.is_some()
            || token.credential_version != self.user.credential_version && !outlives_password(token.purpose)
            || self.user.disabled_at.is_some()
            // An activation link must never change an account that is already activated.
            || token.purpose == Purpose::Activation && self.user.is_activated()
    }
}

impl InvitationContext {
    /// Returns whether the invitation, its client or its tenant no longer allows the use of its link `token`.
    fn is_withdrawn(&self, token: &link_token::Model) -> bool {
        matches!(self.invitation.status, invitation::Status::Accepted | invitation::Status::Cancelled)
            || token.issued_at < self.invitation.links_valid_from
            || self.client.status == client::Status::Archived
            || self.tenant.status == tenant::Status::Suspended
            || self.is_inviter_gone
    }
}

/// Marks the link as used.
///
/// One conditional `UPDATE` does this, so exactly one of several concurrent requests succeeds. The link is then
/// loaded and checked again, because it may be revoked or expire while a password is hashed. If this function fails,
/// the caller must drop `tx` without a commit.
///
/// # Errors
/// - `token_used`: another request has used the link.
/// - `token_revoked` or `token_expired`: the link is no longer valid.
/// - `unavailable` or `internal`: a database query failed.
pub(crate) async fn consume(tx: &mut Tx, token: &link_token::Model) -> Result<()> {
    let app = tx.app().clone();
    let now = app.now();
    let used = link_token::Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::Id.eq(token.id))
        .filter(Column::UsedAt.is_null())
        .filter(Column::RevokedAt.is_null())
        .exec(tx.db())
        .await?;
    if used.rows_affected == 0 {
        // Another request has used the link, or it was revoked. The row shows which.
        load(&app, tx.db(), Column::Id.eq(token.id)).await?.check_live(now)?;
        return Err(Error::TOKEN_USED);
    }
    load(&app, tx.db(), Column::Id.eq(token.id)).await?.check_valid(now)
}

/// Returns whether links of this purpose stay valid when the password changes. A `not_me` link does, because the person
/// who signed in may have changed the password.
const fn outlives_password(purpose: Purpose) -> bool {
    match purpose {
        Purpose::Accept | Purpose::NotMe => true,
        Purpose::Activation | Purpose::Reset => false,
    }
}

/// Derives the secret of the link token `id` under `key`.
fn secret(key: &Key, id: LinkTokenId) -> PlainToken {
    PlainToken::from_bytes(&key.mac(KeyUse::Link, &[id.0.as_bytes()]))
}

/// Revokes the portal user's unused reset links except the newest [`MAX_LIVE_RESETS`].
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

    /// Inserts a portal user and a reset link. These tests set no password, so only `consume` prevents a second use.
    async fn insert_reset_link(app: &TestApp) -> link_token::Model {
        let user = app.insert_portal_user().await;
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
            expires_at: app.now() + app.section::<LinkTokenSettings>().reset_ttl,
            used_at: None,
            revoked_at: None,
            created_at: app.now(),
        };
        row.into_active_model().insert(app.db()).await.unwrap()
    }

    async fn consume_and_commit(app: &App, token: &link_token::Model) -> Result<()> {
        let mut tx = app.begin().await?;
        consume(&mut tx, token).await?;
        tx.commit().await
    }

    #[tokio::test]
    async fn link_is_consumed_once_and_not_by_a_rolled_back_transaction() {
        let app = testing::app().await;
        let token = insert_reset_link(&app).await;
        let mut tx = app.begin().await.unwrap();
        consume(&mut tx, &token).await.unwrap();
        drop(tx);
        consume_and_commit(&app, &token).await.unwrap();
        // `token` was read before the link was used, so only `consume` can detect the second use.
        for _ in 0..2 {
            assert!(matches!(consume_and_commit(&app, &token).await, Err(Error::Gone("token_used"))));
        }
    }

    #[tokio::test]
    async fn link_revoked_or_expired_after_it_was_read_is_not_consumed() {
        let app = testing::app().await;
        let token = insert_reset_link(&app).await;
        let revoke = async |at: Option<Time>| {
            let update = link_token::Entity::update_many().col_expr(Column::RevokedAt, Expr::value(at));
            update.exec(app.db()).await.unwrap();
        };
        revoke(Some(app.now())).await;
        assert!(matches!(consume_and_commit(&app, &token).await, Err(Error::Gone("token_revoked"))));
        revoke(None).await;
        app.clock().advance(chrono::TimeDelta::minutes(31));
        assert!(matches!(consume_and_commit(&app, &token).await, Err(Error::Gone("token_expired"))));
    }
}
