//! The ceremonies in the database: starting one, and using it up.

use portico_entity::{
    CeremonyId, LinkTokenId, Realm, SessionId, SignInChallengeId, UserId,
    ceremony::{self, CeremonyKind, Column, Entity},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::Value;

use super::{CEREMONY_TTL, Ceremony, CeremonyError, CeremonyState, Passkeys, RelyingParty};
use crate::platform::{
    app::App,
    clock::MAX_CLOCK_ERROR,
    error::{Error, Result},
    secret::PlainToken,
};

/// A ceremony that was just started, as the browser gets it.
#[derive(Clone, Debug)]
pub struct StartedCeremony {
    /// The secret, with which the response is presented.
    pub secret: PlainToken,
    /// The options for the browser.
    pub public_key: Value,
}

/// The response of a browser to a ceremony.
#[derive(Clone, Debug)]
pub struct PresentedCeremony {
    /// The secret of the ceremony.
    pub secret: PlainToken,
    /// What `toJSON()` of the browser gives.
    pub response: Value,
}

/// What a ceremony was started for. It can be completed for the same only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occasion {
    /// What the ceremony is for.
    pub(crate) kind: CeremonyKind,
    /// The realm of the operations.
    pub(crate) realm: Realm,
    /// The user; `None` for a sign-in, which any user may complete.
    pub(crate) user: Option<UserId>,
    /// What the ceremony belongs to.
    pub(crate) bound_to: Bound,
}

/// What a ceremony belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Nothing: the browser with the secret.
    Nothing,
    /// An activation link.
    Link(LinkTokenId),
    /// The challenge of a sign-in.
    Challenge(SignInChallengeId),
    /// A session.
    Session(SessionId),
}

impl Bound {
    const fn link(self) -> Option<LinkTokenId> {
        if let Self::Link(id) = self { Some(id) } else { None }
    }

    const fn challenge(self) -> Option<SignInChallengeId> {
        if let Self::Challenge(id) = self { Some(id) } else { None }
    }

    const fn session(self) -> Option<SessionId> {
        if let Self::Session(id) = self { Some(id) } else { None }
    }
}

impl Occasion {
    /// Returns whether the ceremony of `row` was started for this.
    fn is_that_of(&self, row: &ceremony::Model) -> bool {
        let bound = (row.link_token_id, row.sign_in_challenge_id, row.session_id);
        row.kind == self.kind
            && row.realm == self.realm
            && row.user() == self.user
            && bound == (self.bound_to.link(), self.bound_to.challenge(), self.bound_to.session())
    }
}

/// Returns the relying party of this installation.
///
/// # Errors
/// `conflict` if the public URL allows no passkeys.
pub(crate) fn relying_party(app: &App) -> Result<&RelyingParty> {
    let unavailable = "The public URL of this installation has an IP address, so passkeys are not available.";
    app.get::<Passkeys>().relying_party().ok_or(Error::ConflictBecause(unavailable))
}

/// Stores a ceremony, and returns it as the browser gets it. It is valid for [`CEREMONY_TTL`].
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn start(
    app: &App,
    db: &impl ConnectionTrait,
    occasion: Occasion,
    ceremony: Ceremony,
) -> Result<StartedCeremony> {
    let now = app.now();
    let secret = PlainToken::from_bytes(&app.random().bytes());
    let row = ceremony::ActiveModel {
        id: Set(CeremonyId(app.new_id())),
        kind: Set(occasion.kind),
        realm: Set(occasion.realm),
        portal_user_id: Set(occasion.user.and_then(UserId::portal)),
        staff_user_id: Set(occasion.user.and_then(UserId::staff)),
        link_token_id: Set(occasion.bound_to.link()),
        sign_in_challenge_id: Set(occasion.bound_to.challenge()),
        session_id: Set(occasion.bound_to.session()),
        secret_hash: Set(secret.hashed().0),
        state: Set(ceremony.state.as_str().into()),
        created_at: Set(now),
        expires_at: Set(now + CEREMONY_TTL),
        used_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(StartedCeremony { secret, public_key: ceremony.public_key })
}

/// Uses the ceremony with this secret up, and returns its state, if the ceremony was started for `occasion`.
///
/// One conditional UPDATE does this before the response is verified. So each ceremony verifies one response, and a
/// response that is refused uses its ceremony up too, also one that is presented for another occasion. The caller
/// must not let the request run again after this.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn spend(app: &App, occasion: Occasion, secret: &PlainToken) -> Result<Option<CeremonyState>> {
    let now = app.now();
    let spent = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::SecretHash.eq(secret.hashed().0))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        // One that expires later was stored by a process with a wrong clock.
        .filter(Column::ExpiresAt.lte(now + CEREMONY_TTL + MAX_CLOCK_ERROR))
        .exec_with_returning(app.db())
        .await?;
    let row = spent.into_iter().next().filter(|row| occasion.is_that_of(row));
    Ok(row.map(|row| CeremonyState::from_text(row.state)))
}

/// Returns the error of a ceremony that could not be started.
pub(super) fn failure(error: CeremonyError) -> Error {
    Error::Internal(format!("a ceremony of passkeys: {error:?}"))
}
