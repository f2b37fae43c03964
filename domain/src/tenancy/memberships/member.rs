//! One membership with the address of its portal user, and what ends together with it.

use portico_entity::{MembershipId, PortalUserId, client, email, invitation, membership, portal_user, session};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, sea_query::Expr,
};

use crate::{
    platform::{
        error::{Error, Result},
        session_revocation::{RevocationReason, revoke_sessions},
        tx::Tx,
    },
    tenancy::client_admins,
};

/// A portal user at one client.
#[derive(Clone, Debug)]
pub struct Member {
    /// The membership.
    pub membership: membership::Model,
    /// The address of the portal user.
    pub email: String,
}

/// A membership whose portal user and client are locked until the transaction ends. [`lock`] makes it.
pub(crate) struct LockedMember {
    /// The client, as it is since it was locked.
    pub(crate) client: client::Model,
    /// The membership, as it is since both rows were locked.
    pub(crate) member: Member,
}

/// Locks the portal user of the membership `id` of `client`, and then the client, and loads the membership.
///
/// A transaction that changes or removes a membership calls this first. So it waits for every other such transaction at
/// the client, and for those in which an administrator of the client must stay one.
///
/// # Errors
/// - `not_found`: the client has no membership with this id.
/// - `unavailable` or `internal`: the database failed.
pub(crate) async fn lock(tx: &mut Tx, client: &client::Model, id: MembershipId) -> Result<LockedMember> {
    let found = find(tx.db(), client, id).await?;
    lock_portal_user(tx, found.membership.portal_user_id).await?;
    let client = client_admins::lock_client(tx, client.id).await?;
    let member = find(tx.db(), &client, id).await?;
    Ok(LockedMember { client, member })
}

/// Loads the membership `id` of `client`.
///
/// # Errors
/// - `not_found`: the client has no membership with this id.
/// - `unavailable` or `internal`: the database query failed.
pub(crate) async fn find(db: &impl ConnectionTrait, client: &client::Model, id: MembershipId) -> Result<Member> {
    let (member, _) = find_with_user(db, client, id).await?;
    Ok(member)
}

/// Loads the membership `id` of `client`, with its portal user.
///
/// # Errors
/// As for [`find`].
pub(crate) async fn find_with_user(
    db: &impl ConnectionTrait,
    client: &client::Model,
    id: MembershipId,
) -> Result<(Member, portal_user::Model)> {
    let found = membership::Entity::find_by_id(id)
        .find_also_related(portal_user::Entity)
        .filter(membership::Column::ClientId.eq(client.id))
        .one(db)
        .await?;
    match found {
        Some((membership, Some(user))) => Ok((Member { membership, email: user.email.clone() }, user)),
        _ => Err(Error::NOT_FOUND),
    }
}

/// Locks the row of the portal user until the transaction ends.
///
/// A transaction that writes sessions or memberships of one portal user calls this first. Then two such transactions
/// wait for each other here, and cannot deadlock on the rows that follow.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn lock_portal_user(tx: &mut Tx, user: PortalUserId) -> Result<()> {
    use portal_user::{Column, Entity};
    // An update that keeps the value locks the row on Postgres and on SQLite.
    let update = Entity::update_many().col_expr(Column::CredentialVersion, Expr::col(Column::CredentialVersion));
    update.filter(Column::Id.eq(user)).exec(tx.db()).await?;
    Ok(())
}

/// Ends the sessions of the membership's portal user at its client, for `reason`.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(super) async fn end_sessions(tx: &mut Tx, membership: &membership::Model, reason: RevocationReason) -> Result<()> {
    use session::Column;
    let of_membership = Condition::all()
        .add(Column::PortalUserId.eq(membership.portal_user_id))
        .add(Column::ClientId.eq(membership.client_id));
    revoke_sessions(tx, of_membership, reason).await?;
    Ok(())
}

/// Suppresses the queued mails about the membership: those of the client to its portal user, and those that carry a
/// link of an invitation of the portal user to the client. `detail` says why.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(super) async fn suppress_mail(tx: &mut Tx, member: &Member, detail: &str) -> Result<()> {
    use email::{Column, Entity, Status};
    let membership = &member.membership;
    let invitations = invitation::Entity::find()
        .select_only()
        .column(invitation::Column::Id)
        .filter(invitation::Column::ClientId.eq(membership.client_id))
        .filter(invitation::Column::PortalUserId.eq(membership.portal_user_id));
    let of_client =
        Condition::all().add(Column::ClientId.eq(membership.client_id)).add(Column::Recipient.eq(&member.email));
    Entity::update_many()
        .col_expr(Column::Status, Expr::value(Status::Suppressed))
        .col_expr(Column::Detail, Expr::value(detail))
        .filter(Column::Status.eq(Status::Queued))
        .filter(Condition::any().add(of_client).add(Column::InvitationId.in_subquery(invitations.into_query())))
        .exec(tx.db())
        .await?;
    Ok(())
}
