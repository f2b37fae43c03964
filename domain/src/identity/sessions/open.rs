//! Opens sessions and issues their tokens.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use portico_entity::{
    PasskeyId, SessionId, membership, portal_user,
    session::{self, Factor, Method},
    staff_user, tenant,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::Expr,
};

use super::{
    IssuedSession, IssuedStaffSession, SessionSettings, SigningKeys, Tokens, access_token, end, refresh_token,
    signing_keys::LoadedKey,
};
use crate::{
    platform::{
        actor::{ActiveMembership, Realm, RequestContext},
        app::App,
        error::Result,
        session_revocation::{RevocationReason, revoke_sessions},
        tx::Tx,
    },
    tenancy::memberships,
};

/// How a session is opened.
pub(crate) struct NewSession<'a> {
    /// Where the request came from.
    pub(crate) context: &'a RequestContext,
    /// The first factor.
    pub(crate) method: Method,
    /// The second factor, if the user proved one.
    pub(crate) factor: Option<Factor>,
    /// The passkey that was used, as the only factor or as the second one.
    pub(crate) passkey: Option<PasskeyId>,
    /// The session that the browser already has. It ends.
    pub(crate) replaces: Option<SessionId>,
}

/// Opens a portal session for `user` at the client of `membership`, and returns its row.
///
/// When the user then has more than [`SessionSettings::MAX_LIVE`] live
/// sessions, the oldest ones end. The new session gets the credential version of `user`, so it is invalid if another
/// transaction changes the password before this one commits.
///
/// The caller must have locked the user's row in this transaction, as `users::lock` does, and must have checked in this
/// transaction that the client is open.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn open_portal(
    tx: &mut Tx,
    user: &portal_user::Model,
    membership: &membership::Model,
    new: NewSession<'_>,
) -> Result<session::Model> {
    let app = tx.app().clone();
    memberships::record_use(tx, membership).await?;
    end::end_replaced(tx, new.replaces).await?;
    let ttl = app.section::<SessionSettings>().refresh_ttl;
    let row = session::ActiveModel {
        portal_user_id: Set(Some(user.id)),
        client_id: Set(Some(membership.client_id)),
        credential_version: Set(user.credential_version),
        expires_at: Set(app.now() + ttl),
        ..blank(&app, new)
    };
    let session = row.insert(tx.db()).await?;
    end_oldest(tx, user).await?;
    Ok(session)
}

/// Opens a staff session for `user` and returns its row.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn open_staff(tx: &mut Tx, user: &staff_user::Model, new: NewSession<'_>) -> Result<session::Model> {
    let app = tx.app().clone();
    end::end_replaced(tx, new.replaces).await?;
    let settings = app.section::<SessionSettings>();
    let row = session::ActiveModel {
        staff_user_id: Set(Some(user.id)),
        credential_version: Set(user.credential_version),
        idle_until: Set(Some(app.now() + settings.staff_idle_ttl)),
        expires_at: Set(app.now() + settings.staff_ttl),
        ..blank(&app, new)
    };
    Ok(row.insert(tx.db()).await?)
}

/// Sets the time at which the owner of `session` last proved their identity to now, and that of the second factor if
/// `factor` was proved. Returns the row, or `None` if the session has ended.
///
/// The session keeps its id and its generation: an older refresh token stays what it was.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn prove_again(
    tx: &mut Tx,
    session: &session::Model,
    factor: Option<Factor>,
) -> Result<Option<session::Model>> {
    let now = tx.app().now();
    let mut update = session::Entity::update_many();
    if let Some(factor) = factor {
        update = update
            .col_expr(session::Column::MfaAt, Expr::value(now))
            .col_expr(session::Column::MfaFactor, Expr::value(factor));
    }
    let proved = update
        .col_expr(session::Column::AuthTime, Expr::value(now))
        .col_expr(session::Column::LastSeenAt, Expr::value(now))
        .filter(session::Column::Id.eq(session.id))
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::CredentialVersion.eq(session.credential_version))
        .exec_with_returning(tx.db())
        .await?;
    Ok(proved.into_iter().next())
}

/// Issues the tokens of sessions. It holds the current signing key, so that issuing needs no database.
pub struct TokenSigner(Arc<LoadedKey>);

/// Returns a signer with the current signing key.
///
/// Call this before the transaction begins, so that no database query follows the commit.
///
/// # Errors
/// `unavailable` or `internal` when the database fails; `internal` when no signing key is active.
pub(crate) async fn signer(app: &App) -> Result<TokenSigner> {
    Ok(TokenSigner(app.get::<SigningKeys>().current(app).await?))
}

impl TokenSigner {
    /// Issues new tokens for a portal session.
    ///
    /// # Errors
    /// `internal` when a token cannot be serialized.
    pub(crate) fn issue_portal(
        &self,
        app: &App,
        session: session::Model,
        user: portal_user::Model,
        active: ActiveMembership,
    ) -> Result<IssuedSession> {
        let tokens = self.tokens(app, Realm::Portal, &session, user.id.0.to_string())?;
        Ok(IssuedSession { tokens, session, user, active })
    }

    /// Issues new tokens for a staff session.
    ///
    /// # Errors
    /// `internal` when a token cannot be serialized.
    pub(crate) fn issue_staff(
        &self,
        app: &App,
        session: session::Model,
        user: staff_user::Model,
        tenant: tenant::Model,
    ) -> Result<IssuedStaffSession> {
        let tokens = self.tokens(app, Realm::Staff, &session, user.id.0.to_string())?;
        Ok(IssuedStaffSession { tokens, session, user, tenant })
    }

    fn tokens(&self, app: &App, realm: Realm, session: &session::Model, subject: String) -> Result<Tokens> {
        Ok(Tokens {
            access: access_token::sign(app, &self.0, realm, session, subject)?,
            expires_in: app.section::<SessionSettings>().access_ttl.as_secs(),
            refresh: refresh_token::make(app, session)?,
        })
    }
}

/// A session row without owner, expiry and credential version, which the caller sets.
fn blank(app: &App, new: NewSession<'_>) -> session::ActiveModel {
    let (now, context) = (app.now(), new.context);
    session::ActiveModel {
        id: Set(SessionId(app.new_id())),
        portal_user_id: Set(None),
        staff_user_id: Set(None),
        client_id: Set(None),
        generation: Set(0),
        rotated_at: Set(now),
        used_generation: Set(None),
        generation_used_at: Set(None),
        nonce: Set(BASE64_URL_SAFE_NO_PAD.encode(app.random().bytes::<16>())),
        user_agent: Set(context.user_agent.clone()),
        ip: Set(context.ip.map(|ip| ip.to_string())),
        method: Set(Some(new.method)),
        auth_time: Set(now),
        mfa_at: Set(new.factor.map(|_| now)),
        mfa_factor: Set(new.factor),
        passkey_id: Set(new.passkey),
        created_at: Set(now),
        last_seen_at: Set(now),
        idle_until: Set(None),
        revoked_at: Set(None),
        revoked_reason: Set(None),
        ..Default::default()
    }
}

/// Ends the oldest live sessions of `user`, so that at most [`SessionSettings::MAX_LIVE`] remain.
async fn end_oldest(tx: &mut Tx, user: &portal_user::Model) -> Result<()> {
    let now = tx.app().now();
    let surplus = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(session::Column::PortalUserId.eq(user.id))
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now))
        .filter(session::Column::CredentialVersion.eq(user.credential_version))
        .order_by_desc(session::Column::CreatedAt)
        .order_by_desc(session::Column::Id)
        .offset(SessionSettings::MAX_LIVE)
        .limit(1_000);
    let surplus = session::Column::Id.in_subquery(surplus.into_query());
    revoke_sessions(tx, surplus, RevocationReason::TooMany).await?;
    Ok(())
}
