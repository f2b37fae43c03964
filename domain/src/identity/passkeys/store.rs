//! The passkeys in the database.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use portico_entity::{
    PasskeyId, UserId,
    passkey::{self, Column, Entity},
    portal_user, staff_user,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select,
    sea_query::{Expr, OnConflict, SimpleExpr},
};

use super::{NewCredential, Passkeys, StoredCredential, UserHandle, relying_party};
use crate::{
    identity::users,
    platform::{
        actor::{RequestContext, User},
        app::App,
        error::{Error, Result},
        language::Language,
        name::Name,
        tx::Tx,
        user_agent,
    },
};

/// How many passkeys a user can have.
pub(crate) const MAX_PASSKEYS: u64 = 10;

/// Matches the passkeys of the user `owner`.
pub(crate) fn owned_by(owner: UserId) -> SimpleExpr {
    match owner {
        UserId::Portal(id) => Column::PortalUserId.eq(id),
        UserId::Staff(id) => Column::StaffUserId.eq(id),
    }
}

/// Returns whether browsers offer `passkey` at the public URL of this installation.
pub fn is_usable(app: &App, passkey: &passkey::Model) -> bool {
    app.get::<Passkeys>().relying_party().is_some_and(|party| party.id() == passkey.rp_id)
}

/// Selects the usable passkeys of the user; `None` if the public URL allows none.
fn select_usable(app: &App, owner: UserId) -> Option<Select<Entity>> {
    let party = app.get::<Passkeys>().relying_party()?;
    Some(Entity::find().filter(owned_by(owner)).filter(Column::RpId.eq(party.id())))
}

/// Returns the usable passkeys of the user, oldest first.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn usable(app: &App, db: &impl ConnectionTrait, owner: UserId) -> Result<Vec<passkey::Model>> {
    let Some(select) = select_usable(app, owner) else { return Ok(Vec::new()) };
    Ok(select.order_by_asc(Column::Id).all(db).await?)
}

/// Returns how many usable passkeys the user has.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn count_usable(app: &App, db: &impl ConnectionTrait, owner: UserId) -> Result<u64> {
    let Some(select) = select_usable(app, owner) else { return Ok(0) };
    Ok(select.count(db).await?)
}

/// Checks that the user may have one more passkey. Passkeys that are not usable count too.
///
/// # Errors
/// - `conflict` if the user has ten.
/// - `unavailable` or `internal` if the database fails.
pub(super) async fn check_count(db: &impl ConnectionTrait, owner: UserId) -> Result<()> {
    if Entity::find().filter(owned_by(owner)).count(db).await? >= MAX_PASSKEYS {
        return Err(Error::ConflictBecause("The user has ten passkeys. Remove one first."));
    }
    Ok(())
}

/// Stores a passkey of `user`, whose row the caller has locked. `name` is what the user calls it; by default the
/// device of the request.
///
/// # Errors
/// - `conflict` if the user has ten passkeys, or if the credential is stored already, for whichever user.
/// - `unavailable` or `internal` if the database fails.
pub(crate) async fn insert(
    tx: &Tx,
    user: &User,
    context: &RequestContext,
    new: NewCredential,
    name: Option<&Name>,
) -> Result<passkey::Model> {
    let (app, owner) = (tx.app(), user.id());
    check_count(tx.db(), owner).await?;
    let id = PasskeyId(app.new_id());
    let row = passkey::ActiveModel {
        id: Set(id),
        portal_user_id: Set(owner.portal()),
        staff_user_id: Set(owner.staff()),
        name: Set(name.map_or_else(|| default_name(user, context), |name| name.as_str().to_owned())),
        rp_id: Set(relying_party(app)?.id().to_owned()),
        credential_id: Set(BASE64_URL_SAFE_NO_PAD.encode(&new.id)),
        credential: Set(new.credential.as_str().to_owned()),
        counter: Set(new.counter.into()),
        is_backed_up: Set(new.is_backed_up),
        created_at: Set(app.now()),
        last_used_at: Set(None),
    };
    Entity::insert(row)
        .on_conflict(OnConflict::column(Column::CredentialId).do_nothing().to_owned())
        .exec_without_returning(tx.db())
        .await?;
    let inserted = Entity::find_by_id(id).one(tx.db()).await?;
    inserted.ok_or(Error::ConflictBecause("This passkey is registered already."))
}

/// Returns the browser and the system of the request, in the language of the user.
fn default_name(user: &User, context: &RequestContext) -> String {
    let locale = match user {
        User::Portal(user) => user.locale.as_deref(),
        User::Staff(user) => user.locale.as_deref(),
    };
    let language = Language::first_of([locale]).unwrap_or(Language::English);
    user_agent::device_name(context.user_agent.as_deref(), language)
}

/// Returns the user handle of `user`. Makes it at the first call: one conditional UPDATE, so that a user never gets
/// another one.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn make_handle(tx: &Tx, user: &User) -> Result<UserHandle> {
    if let Some(handle) = handle_of(user) {
        return Ok(handle);
    }
    let new = BASE64_URL_SAFE_NO_PAD.encode(UserHandle::new(tx.app().random()).as_bytes());
    match user.id() {
        UserId::Portal(id) => {
            use portal_user::{Column, Entity};
            let update = Entity::update_many().col_expr(Column::WebauthnHandle, Expr::value(new));
            update.filter(Column::Id.eq(id)).filter(Column::WebauthnHandle.is_null()).exec(tx.db()).await?;
        }
        UserId::Staff(id) => {
            use staff_user::{Column, Entity};
            let update = Entity::update_many().col_expr(Column::WebauthnHandle, Expr::value(new));
            update.filter(Column::Id.eq(id)).filter(Column::WebauthnHandle.is_null()).exec(tx.db()).await?;
        }
    }
    let stored = users::find(tx.db(), user.id()).await?;
    stored.as_ref().and_then(handle_of).ok_or_else(|| Error::Internal("a user has no user handle".into()))
}

/// Returns the stored user handle; `None` if there is none.
pub(super) fn handle_of(user: &User) -> Option<UserHandle> {
    let text = match user {
        User::Portal(user) => user.webauthn_handle.as_deref(),
        User::Staff(user) => user.webauthn_handle.as_deref(),
    };
    UserHandle::from_bytes(BASE64_URL_SAFE_NO_PAD.decode(text?).ok()?)
}

/// Returns the stored credentials of `passkeys`.
pub(super) fn credentials(passkeys: &[passkey::Model]) -> Vec<StoredCredential> {
    passkeys.iter().map(|passkey| StoredCredential::from_text(&passkey.credential)).collect()
}
