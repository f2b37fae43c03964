//! Checking a password: counted before it is looked at, and the same work whoever is asked for.

use portico_entity::{
    email::Kind,
    portal_user::{self, Column},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::device::known_device;
use crate::{
    actor::{RequestContext, Visitor},
    app::App,
    audit,
    email_address::EmailAddress,
    error::{Error, Result},
    mail,
    passwords::Verdict,
    secret::Password,
    sessions::Realm,
    throttle::{self, InARow, Limit, Taken},
    tx::{self, Tx},
};

/// The counter of failures in a row, per address and known device.
const IN_A_ROW: &str = "sign_in_close";

/// That a password was right. Until it is settled, the attempt stays counted as a wrong one.
#[must_use]
pub(crate) struct Proved {
    counted: Taken,
    /// The hash of the current cost, where the stored one is of another.
    rehashed: Option<String>,
}

/// Proves that `password` is that of `user`, whom `email` named; a stranger's address proves nothing, and takes as long.
///
/// # Errors
/// `too_many_requests`; `invalid_credentials` also when the account cannot sign in at all; `overloaded`.
pub(crate) async fn prove_password(
    app: &App,
    context: &RequestContext,
    email: &EmailAddress,
    user: Option<&portal_user::Model>,
    password: &Password,
) -> Result<Proved> {
    let device = known_device(app, context, Realm::Portal, email).unwrap_or_default();
    let network = context.network();
    let account: [&str; 2] = if device.is_empty() { [email.as_str(), &network] } else { [email.as_str(), &device] };
    let limits: [(Limit, &[&str]); 2] = [(Limit::SignInNetwork, &[&network]), (Limit::SignInAccount, &account)];
    // A known device shows that there is an account, so its row may end with the password it was about.
    let version = user.filter(|_| !device.is_empty()).map_or(String::new(), |user| user.credential_version.to_string());
    let row = InARow(IN_A_ROW, &[email.as_str(), &device, &version]);
    let counted = throttle::attempt(app, &limits, row).await?;
    let limit = app.settings().limits.sign_in_close.map_or(i64::MAX, i64::from);

    // Only a password that counts is compared; anything else is a comparison with nothing, of the same length.
    // What strangers have closed stays open for the owner's own devices, which have a row of their own.
    let is_open = |user: &&portal_user::Model| user.password_closed_at.is_none() || !device.is_empty();
    let usable = user.filter(|user| user.disabled_at.is_none()).filter(is_open);
    let phc = usable.and_then(|user| user.password_phc.as_deref()).filter(|_| counted.in_a_row() <= limit);
    let verdict = match app.hasher().verify(context, phc, password).await {
        Ok(verdict) => verdict,
        Err(error) => return counted.unless_unavailable(app, Err(error)).await,
    };
    if let Verdict::Right { rehashed } = verdict {
        return Ok(Proved { counted, rehashed });
    }
    // The failure stays counted: run again, it would count twice.
    tx::forbid_replay();
    if counted.in_a_row() >= limit && device.is_empty() {
        close(app, context, user).await?;
    }
    Err(Error::INVALID_CREDENTIALS)
}

impl Proved {
    /// Gives back what the attempt was counted as, and stores a hash of the current cost. In a transaction for its end, since
    /// all others who are counted there wait for its commit.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn settle(&self, db: &impl ConnectionTrait, user: &portal_user::Model) -> Result<()> {
        if let Some(phc) = &self.rehashed {
            store_rehashed(db, user, phc).await?;
        }
        self.counted.succeeded(db).await
    }

    /// Takes the attempt back if what came after it could not be done, and returns how it ended.
    ///
    /// # Errors
    /// As `done` was.
    pub(crate) async fn unless_unavailable<T>(self, app: &App, done: Result<T>) -> Result<T> {
        self.counted.unless_unavailable(app, done).await
    }
}

/// Ends the row of failures of `email`: the password is a new one. For the end of a transaction, as [`Proved::settle`].
///
/// # Errors
/// When the database fails.
pub(crate) async fn forget_failures(tx: &mut Tx, email: &str) -> Result<()> {
    throttle::end_row(tx.app(), tx.db(), InARow(IN_A_ROW, &[email, "", ""])).await
}

/// Only if the hash is still the one that was verified; the version stays, since the password does.
async fn store_rehashed(db: &impl ConnectionTrait, user: &portal_user::Model, phc: &str) -> Result<()> {
    portal_user::Entity::update_many()
        .col_expr(Column::PasswordPhc, Expr::value(phc))
        .filter(Column::Id.eq(user.id))
        .filter(Column::PasswordPhc.eq(user.password_phc.clone()))
        .exec(db)
        .await?;
    Ok(())
}

/// Closes the password until a reset, once, and says so to the person.
async fn close(app: &App, context: &RequestContext, user: Option<&portal_user::Model>) -> Result<()> {
    let Some(user) = user.filter(|user| user.password_phc.is_some()) else { return Ok(()) };
    let mut tx = app.begin().await?.caused_by(context.request_id);
    let closed = portal_user::Entity::update_many()
        .col_expr(Column::PasswordClosedAt, Expr::value(app.now()))
        .filter(Column::Id.eq(user.id))
        .filter(Column::PasswordClosedAt.is_null())
        .exec(tx.db())
        .await?;
    if closed.rows_affected == 1 {
        mail::post_notice(&mut tx, Kind::PasswordClosed, user).await?;
        audit::record_for_tenants(&mut tx, &Visitor { context: context.clone() }, user.id, "password.closed").await?;
    }
    tx.commit().await
}
