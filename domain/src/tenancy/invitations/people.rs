//! The invited persons: which of them are members already, and what an invitation does for each of the others.

use std::collections::{HashMap, HashSet};

use portico_entity::{ClientId, PortalUserId, client, invitation::Mode, membership, portal_user};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{LockType, OnConflict},
};

use super::{InviteInput, inviter::Inviter};
use crate::platform::{email_address::EmailAddress, error::Result, tx::Tx};

/// How many persons one statement handles: SQLite takes at most 32,766 values in a statement, and a mail has about 30.
pub(super) const PEOPLE_IN_A_STATEMENT: usize = 500;

/// A person who has a `portal_users` row.
pub(super) struct Person {
    /// The row.
    pub(super) user: portal_user::Model,
    /// How the person joins, if they are invited by this inviter.
    pub(super) mode: Mode,
    /// Whether the person has a membership of the client, in any status.
    pub(super) is_at_client: bool,
}

/// Returns the known persons among `emails`, by address. Locks their rows for sharing, so that the job which deletes
/// unused rows does not delete them during this transaction.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn find(
    tx: &Tx,
    inviter: &Inviter,
    client: ClientId,
    emails: &[&EmailAddress],
) -> Result<HashMap<String, Person>> {
    let mut people = HashMap::new();
    for emails in emails.chunks(PEOPLE_IN_A_STATEMENT) {
        let users = portal_user::Entity::find()
            .filter(portal_user::Column::Email.is_in(emails.iter().map(|email| email.as_str())))
            .lock(LockType::KeyShare)
            .all(tx.db())
            .await?;
        let ids: Vec<_> = users.iter().map(|user| user.id).collect();
        let at_client = members(tx.db(), &ids, membership::Column::ClientId.eq(client)).await?;
        let active =
            if inviter.is_immediate { active_in_tenant(tx.db(), inviter, &ids).await? } else { HashSet::new() };
        people.extend(users.into_iter().map(|user| {
            let joins_immediately = user.is_activated() && active.contains(&user.id);
            let mode = if joins_immediately { Mode::Notification } else { Mode::Setup };
            (user.email.clone(), Person { mode, is_at_client: at_client.contains(&user.id), user })
        }));
    }
    Ok(people)
}

/// Inserts a `portal_users` row without a password for each address that has none.
///
/// The `INSERT` ignores existing rows, so concurrent invitations of one address share one row. `inputs` is ordered by
/// address, so that no two transactions wait for each other.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn insert_unknown(tx: &Tx, inputs: &[&InviteInput]) -> Result<()> {
    let app = tx.app();
    let row = |input: &&InviteInput| portal_user::ActiveModel {
        id: Set(PortalUserId(app.new_id())),
        email: Set(input.email.to_string()),
        name: Set(input.name_or_default().into()),
        password_phc: Set(None),
        password_cost: Set(None),
        password_locked_at: Set(None),
        credential_version: Set(0),
        activated_at: Set(None),
        mfa_enabled_at: Set(None),
        factors_version: Set(0),
        webauthn_handle: Set(None),
        locale: Set(input.locale.clone()),
        disabled_at: Set(None),
        created_at: Set(app.now()),
    };
    for inputs in inputs.chunks(PEOPLE_IN_A_STATEMENT) {
        portal_user::Entity::insert_many(inputs.iter().map(row))
            .on_conflict(OnConflict::column(portal_user::Column::Email).do_nothing().to_owned())
            .exec_without_returning(tx.db())
            .await?;
    }
    Ok(())
}

/// Returns those of `users` who have an active membership of a client of the inviter's tenant.
async fn active_in_tenant(
    db: &impl ConnectionTrait,
    inviter: &Inviter,
    users: &[PortalUserId],
) -> Result<HashSet<PortalUserId>> {
    let found: Vec<PortalUserId> = membership::Entity::find()
        .inner_join(client::Entity)
        .select_only()
        .column(membership::Column::PortalUserId)
        .filter(membership::Column::PortalUserId.is_in(users.iter().copied()))
        .filter(membership::Column::Status.eq(membership::Status::Active))
        .filter(client::Column::TenantId.eq(inviter.tenant))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().collect())
}

/// Returns those of `users` who have a membership that matches `which`.
async fn members(
    db: &impl ConnectionTrait,
    users: &[PortalUserId],
    which: sea_orm::sea_query::SimpleExpr,
) -> Result<HashSet<PortalUserId>> {
    let found: Vec<PortalUserId> = membership::Entity::find()
        .select_only()
        .column(membership::Column::PortalUserId)
        .filter(membership::Column::PortalUserId.is_in(users.iter().copied()))
        .filter(which)
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().collect())
}
