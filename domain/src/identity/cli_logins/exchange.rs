//! Exchanging the code of an approved login for an API token.

use portico_entity::{
    cli_login::{self, Column, Entity},
    session,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{CODE_TTL, CodeVerifier};
use crate::{
    identity::sessions,
    platform::{
        actor::{Actor, Anonymous, Scopes, StaffUser, TokenOwner},
        app::App,
        clock::MAX_CLOCK_ERROR,
        error::{Error, Result},
        name::Name,
        secret::PlainToken,
        tx::Tx,
    },
    tenancy::api_tokens::{self, DEFAULT_DAYS, IssuedToken, NewApiToken},
};

/// Creates the API token of the login with this code. It is a personal access token of the staff user who approved the
/// login, and is valid for 90 days. The staff user gets a notice by mail.
///
/// The code can be exchanged once. A wrong secret does not use it up, so that others cannot end a login.
///
/// # Errors
/// - `invalid_code`: there is no such code, it was used or has expired, the secret is not the one whose hash was
///   approved, the session in which the login was approved has ended, or the role of the staff user no longer gives the
///   scopes. The error is the same for all of them.
/// - `conflict`: the staff user has 100 live tokens.
/// - `unavailable` or `internal`: a database query failed.
pub async fn exchange(
    app: &App,
    caller: &Anonymous,
    code: &PlainToken,
    verifier: &CodeVerifier,
) -> Result<IssuedToken> {
    let login = Entity::find().filter(Column::CodeHash.eq(code.hashed().0)).one(app.db()).await?;
    let login = login.filter(|login| verifier.matches(&login.code_challenge)).ok_or(Error::INVALID_CODE)?;
    let user = sessions::load_staff(app, login.session_id, caller.context.clone()).await.map_err(refuse)?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    use_code(&tx, &login).await?;
    let token = create_token(&mut tx, &login, &user).await.map_err(refuse)?;
    lock_live_session(&tx, &user).await?;
    tx.commit().await?;
    Ok(token)
}

/// Returns the error for a caller who must not learn why a login is no longer valid.
fn refuse(error: Error) -> Error {
    match error {
        Error::Unauthenticated(_) | Error::Forbidden(_) | Error::Invalid(_) => Error::INVALID_CODE,
        error => error,
    }
}

/// Marks the code as used. One conditional `UPDATE` does this, so exactly one of several concurrent requests succeeds.
async fn use_code(tx: &Tx, login: &cli_login::Model) -> Result<()> {
    let now = tx.app().now();
    let used = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::Id.eq(login.id))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        // A time further ahead was recorded by a wrong clock.
        .filter(Column::ExpiresAt.lte(now + CODE_TTL + MAX_CLOCK_ERROR))
        .exec(tx.db())
        .await?;
    if used.rows_affected == 1 { Ok(()) } else { Err(Error::INVALID_CODE) }
}

/// Creates the token, whose row names the staff user as its creator.
async fn create_token(tx: &mut Tx, login: &cli_login::Model, user: &StaffUser) -> Result<IssuedToken> {
    let name: Name = login.name.parse().map_err(|_| Error::Internal("the stored name of a token is no name".into()))?;
    let new = NewApiToken { name, scopes: Scopes::stored(&login.scopes), days: DEFAULT_DAYS };
    let owner = TokenOwner::StaffUser(user.user.clone());
    api_tokens::insert(tx, &owner, user.user.id, new, Actor::from(user)).await
}

/// Locks the session until the transaction ends, and checks that it has not ended since it was loaded. So a sign-out
/// comes either before the exchange, which then fails, or after it.
async fn lock_live_session(tx: &Tx, user: &StaffUser) -> Result<()> {
    use session::{Column, Entity};
    // An update that keeps the value locks the row on Postgres and on SQLite.
    let locked = Entity::update_many()
        .col_expr(Column::Generation, Expr::col(Column::Generation))
        .filter(Column::Id.eq(user.session.id))
        .filter(Column::RevokedAt.is_null())
        .exec(tx.db())
        .await?;
    if locked.rows_affected == 1 { Ok(()) } else { Err(Error::INVALID_CODE) }
}
