//! The challenge of a sign-in that lacks its second factor.

use std::time::Duration;

use portico_entity::{
    ClientId, CodeFlowId, LinkTokenId, Realm, SessionId, SignInChallengeId,
    session::{Factor, Method},
    sign_in_challenge::{self, Column, Entity, Purpose},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use super::MfaSettings;
use crate::{
    identity::{passkeys, recovery_codes, totp, users},
    platform::{
        actor::{User, Versions},
        app::App,
        clock::MAX_CLOCK_ERROR,
        error::Result,
        secret::PlainToken,
        tx::Tx,
    },
};

/// The number of attempts after which a challenge is dead.
pub(crate) const MAX_MISSES: i32 = 5;
/// How long a challenge to set up a second factor is valid.
const ENROL_TTL: Duration = Duration::from_secs(15 * 60);

/// A challenge that was just issued, as the browser gets it.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// The secret, which the operations for second factors take.
    pub secret: PlainToken,
    /// What the user must do.
    pub purpose: Purpose,
    /// The second factors by which the user can complete the sign-in, the strongest first: those that the user has, or
    /// those that can be set up.
    pub methods: Vec<Factor>,
    /// Whether the user must enter a mailed code before a second factor is set up.
    pub needs_mail_code: bool,
    /// For how many days the user may trust the browser; 0 if they may not.
    pub trusted_device_days: u16,
    /// How long the challenge is valid.
    pub ttl: Duration,
}

/// What a challenge is issued for.
pub(crate) struct NewChallenge<'a> {
    /// The user, as the row is now.
    pub(crate) user: &'a User,
    /// What the user must do.
    pub(crate) purpose: Purpose,
    /// The first factor.
    pub(crate) method: Method,
    /// Whether the user has proved access to the mailbox. A password does not: with a stolen one, no factor can be set
    /// up.
    pub(crate) is_mailbox_proved: bool,
    /// The client to sign in to; `None` for a staff user.
    pub(crate) client: Option<ClientId>,
    /// The link of the invitation that the sign-in accepts.
    pub(crate) link_token: Option<LinkTokenId>,
    /// The session that the browser already has.
    pub(crate) replaces: Option<SessionId>,
    /// For how many days the user may trust the browser.
    pub(crate) trusted_device_days: u16,
}

/// A challenge that is live, with its user.
pub(crate) struct LiveChallenge {
    /// The row.
    pub(crate) row: sign_in_challenge::Model,
    /// The user.
    pub(crate) user: User,
}

impl LiveChallenge {
    /// Returns the versions of the user that the challenge is bound to.
    pub(crate) const fn versions(&self) -> Versions {
        Versions { credential: self.row.credential_version, factors: self.row.factors_version }
    }
}

/// Issues a challenge.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn issue(tx: &Tx, new: NewChallenge<'_>) -> Result<Challenge> {
    let app = tx.app();
    let (now, id, versions) = (app.now(), new.user.id(), new.user.versions());
    let secret = PlainToken::from_bytes(&app.random().bytes());
    let ttl = match new.purpose {
        Purpose::Verify => app.section::<MfaSettings>().challenge_ttl,
        Purpose::Enrol => ENROL_TTL,
    };
    let mail_proved_at = new.is_mailbox_proved.then_some(now);
    let row = sign_in_challenge::ActiveModel {
        id: Set(SignInChallengeId(app.new_id())),
        secret_hash: Set(secret.hashed().0),
        purpose: Set(new.purpose),
        portal_user_id: Set(id.portal()),
        staff_user_id: Set(id.staff()),
        client_id: Set(new.client),
        link_token_id: Set(new.link_token),
        replaces_session_id: Set(new.replaces),
        method: Set(new.method),
        credential_version: Set(versions.credential),
        factors_version: Set(versions.factors),
        misses: Set(0),
        code_flow_id: Set(None),
        mail_proved_at: Set(mail_proved_at),
        created_at: Set(now),
        expires_at: Set(now + ttl),
        ended_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(tx.db()).await?;
    let methods = match new.purpose {
        Purpose::Verify => methods_of(tx, new.user).await?,
        Purpose::Enrol if passkeys::relying_party(app).is_ok() => vec![Factor::Passkey, Factor::Totp],
        Purpose::Enrol => vec![Factor::Totp],
    };
    let needs_mail_code = new.purpose == Purpose::Enrol && mail_proved_at.is_none();
    Ok(Challenge {
        secret,
        purpose: new.purpose,
        methods,
        needs_mail_code,
        trusted_device_days: new.trusted_device_days,
        ttl,
    })
}

/// Returns the second factors that the user has, the strongest first.
async fn methods_of(tx: &Tx, user: &User) -> Result<Vec<Factor>> {
    let mut methods = Vec::new();
    if passkeys::count_usable(tx.app(), tx.db(), user.id()).await? > 0 {
        methods.push(Factor::Passkey);
    }
    if totp::find(tx.db(), user.id()).await?.is_some() {
        methods.push(Factor::Totp);
    }
    if recovery_codes::count_left(tx.db(), user.id()).await? > 0 {
        methods.push(Factor::RecoveryCode);
    }
    Ok(methods)
}

/// Returns the challenge with this secret and its user, if it is live: it is of `realm` and has this purpose, it has
/// neither ended nor expired, it has attempts left, and the user is enabled and still has the versions of the
/// challenge.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn find_live(
    app: &App,
    realm: Realm,
    purpose: Option<Purpose>,
    secret: &PlainToken,
) -> Result<Option<LiveChallenge>> {
    let found = Entity::find().filter(Column::SecretHash.eq(secret.hashed().0)).filter(is_live(app));
    let Some(row) = found.one(app.db()).await? else { return Ok(None) };
    let has_purpose = purpose.is_none_or(|purpose| row.purpose == purpose);
    let Some(id) = row.user().filter(|id| id.realm() == realm && has_purpose) else { return Ok(None) };
    let Some(user) = users::find(app.db(), id).await? else { return Ok(None) };
    let challenge = LiveChallenge { row, user };
    let is_unchanged = challenge.user.is_enabled() && challenge.user.versions() == challenge.versions();
    Ok(is_unchanged.then_some(challenge))
}

/// Counts an attempt at the challenge, and returns the number of attempts with it; `None` if the challenge is not live
/// any more.
///
/// One conditional UPDATE does this before the factor is checked, so concurrent attempts cannot exceed the limit.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn count_attempt(app: &App, id: SignInChallengeId) -> Result<Option<i32>> {
    let counted = Entity::update_many()
        .col_expr(Column::Misses, Expr::col(Column::Misses).add(1))
        .filter(Column::Id.eq(id))
        .filter(is_live(app))
        .exec_with_returning(app.db())
        .await?;
    Ok(counted.into_iter().next().map(|row| row.misses))
}

/// Subtracts an attempt from the challenge, because it could not be made.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn refund_attempt(app: &App, id: SignInChallengeId) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Misses, Expr::col(Column::Misses).sub(1))
        .filter(Column::Id.eq(id))
        .filter(Column::Misses.gt(0))
        .exec(app.db())
        .await?;
    Ok(())
}

/// Ends the challenge. Returns whether it was live: of concurrent calls, one succeeds.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn end(tx: &Tx, id: SignInChallengeId) -> Result<bool> {
    let app = tx.app();
    let ended = Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(app.now()))
        .filter(Column::Id.eq(id))
        .filter(Column::EndedAt.is_null())
        .filter(not_expired(app))
        .exec(tx.db())
        .await?;
    Ok(ended.rows_affected == 1)
}

/// Stores the code flow whose code proves the mailbox for this challenge.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn set_mail_flow(app: &App, id: SignInChallengeId, flow: CodeFlowId) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::CodeFlowId, Expr::value(flow));
    update.filter(Column::Id.eq(id)).exec(app.db()).await?;
    Ok(())
}

/// Stores that the user has proved access to the mailbox.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn set_mail_proved(tx: &Tx, id: SignInChallengeId) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::MailProvedAt, Expr::value(tx.app().now()));
    update.filter(Column::Id.eq(id)).exec(tx.db()).await?;
    Ok(())
}

/// Matches the challenges that can be completed.
fn is_live(app: &App) -> Condition {
    not_expired(app).add(Column::EndedAt.is_null()).add(Column::Misses.lt(MAX_MISSES))
}

/// Matches the challenges that have not expired. One that expires further ahead than any challenge was stored by a
/// process with a wrong clock.
fn not_expired(app: &App) -> Condition {
    let longest = app.section::<MfaSettings>().challenge_ttl.max(ENROL_TTL);
    let latest = app.now() + longest + MAX_CLOCK_ERROR;
    Condition::all().add(Column::ExpiresAt.gt(app.now())).add(Column::ExpiresAt.lte(latest))
}
