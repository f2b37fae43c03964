//! Changing the role of a portal user at a client, and disabling and enabling the membership.

use portico_entity::{
    ClientId, MembershipId,
    membership::{self, Column, Role, Status},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use super::{LockedMember, Member, end_sessions, lock, suppress_mail};
use crate::{
    platform::{
        actor::{Actor, Authorized, access::ClientsEdit},
        app::App,
        audit,
        error::{Error, Result},
        session_revocation::RevocationReason,
        tx::Tx,
    },
    tenancy::{client_admins, clients, invitations},
};

/// What becomes of the access that a membership gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberAccess {
    /// The portal user can act for the client.
    Active,
    /// The portal user cannot act for the client.
    Disabled,
}

/// The input of [`change`]. A field that is `None` stays unchanged.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemberChange {
    /// The new role.
    pub role: Option<Role>,
    /// Whether the portal user can act for the client.
    pub access: Option<MemberAccess>,
}

impl From<MemberAccess> for Status {
    fn from(access: MemberAccess) -> Self {
        match access {
            MemberAccess::Active => Self::Active,
            MemberAccess::Disabled => Self::Disabled,
        }
    }
}

/// Changes a membership of a client of the caller's tenant, and returns it.
///
/// A disabled membership ends the sessions of the portal user at this client, and no new one can be opened. The portal
/// user's other memberships stay as they are. Enabling a membership does not restore its sessions. A new role has
/// effect from the next request on. If every field of `change` is `None`, nothing is written.
///
/// The other administrators of the client get a notice if the portal user becomes one. If the portal user is one no
/// longer, the invitations that they have created at the client and that are not accepted are cancelled.
///
/// Of two concurrent changes, each field keeps the value of the change that was written last.
///
/// # Errors
/// - `not_found`: the caller's tenant has no client with this id, or the client no membership with this id.
/// - `conflict`: the portal user has not joined the client yet.
/// - `unavailable` or `internal`: a database query failed.
pub async fn change(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    client: ClientId,
    id: MembershipId,
    change: MemberChange,
) -> Result<Member> {
    let client = clients::of(caller.tenant.id).find(app.db(), client).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let locked = lock(&mut tx, &client, id).await?;
    let changed = change_in(&mut tx, &caller.into(), locked, change).await?;
    tx.commit().await?;
    Ok(changed)
}

/// Changes a locked membership as [`change`] does, and records the audit event `membership.changed` of `actor`. Returns
/// the membership as it is then. The caller has checked that `actor` may do this, and commits.
///
/// # Errors
/// - `conflict`: the portal user has not joined the client yet.
/// - `unavailable` or `internal`: a database query failed.
pub(crate) async fn change_in(
    tx: &mut Tx,
    actor: &Actor,
    LockedMember { client, member }: LockedMember,
    change: MemberChange,
) -> Result<Member> {
    let before = &member.membership;
    if before.status == Status::Invited {
        return Err(Error::ConflictBecause("The portal user has not joined the client yet."));
    }
    let fields: Vec<_> = change.role.map(|_| "role").into_iter().chain(change.access.map(|_| "status")).collect();
    if fields.is_empty() {
        return Ok(member);
    }
    let membership = update(tx, before, change).await?;
    let (was_admin, is_admin) = (client_admins::is_admin(before), client_admins::is_admin(&membership));
    if before.role == Role::Admin && !is_admin {
        invitations::cancel_created_by(tx, actor.clone(), &client, before.portal_user_id).await?;
    }
    if is_admin && !was_admin {
        client_admins::announce(tx, actor, &client, &[before.portal_user_id]).await?;
    }
    let member = Member { membership, email: member.email };
    if member.membership.status == Status::Disabled {
        suppress_mail(tx, &member, "the membership was disabled").await?;
        end_sessions(tx, &member.membership, RevocationReason::MembershipDisabled).await?;
    }
    let event = audit::Event::new("membership.changed")
        .target("membership", member.membership.id.0)
        .tenant(client.tenant_id)
        .client(client.id)
        .details(json!({ "fields": fields, "role": member.membership.role, "status": member.membership.status }));
    audit::record(tx, actor.clone(), event).await?;
    Ok(member)
}

/// Writes the fields of `change`, at least one, and returns the membership as it is then.
async fn update(tx: &mut Tx, before: &membership::Model, change: MemberChange) -> Result<membership::Model> {
    let mut update =
        membership::Entity::update_many().filter(Column::Id.eq(before.id)).filter(Column::Status.ne(Status::Invited));
    if let Some(role) = change.role {
        update = update.col_expr(Column::Role, Expr::value(role));
    }
    if let Some(access) = change.access {
        update = update.col_expr(Column::Status, Expr::value(Status::from(access)));
    }
    update.exec_with_returning(tx.db()).await?.into_iter().next().ok_or(Error::NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use portico_entity::{email, portal_user};

    use super::*;
    use crate::{
        tenancy::memberships::tests::{invite, owner_and_client},
        testing,
    };

    #[tokio::test]
    async fn disabling_suppresses_queued_mail_and_the_role_stays() {
        let app = testing::app().await;
        let (owner, first) = owner_and_client(&app).await;
        let invited = invite(&app, &owner, first.id, "ann@x.test").await;
        app.run_queue().await;
        let id = invited.membership.id;
        let disable = MemberChange { access: Some(MemberAccess::Disabled), role: None };
        let refused = change(&app, &owner, first.id, id, disable).await;
        assert_eq!(refused.unwrap_err().code(), "conflict");

        // Ann has joined, and a mail of the client to her waits.
        membership::Entity::update_many()
            .col_expr(Column::Status, Expr::value(Status::Active))
            .exec(app.db())
            .await
            .unwrap();
        email::Entity::update_many()
            .col_expr(email::Column::Status, Expr::value(email::Status::Queued))
            .exec(app.db())
            .await
            .unwrap();
        let promote = MemberChange { access: None, role: Some(Role::Admin) };
        change(&app, &owner, first.id, id, promote).await.unwrap();
        let status = async || email::Entity::find().one(app.db()).await.unwrap().unwrap().status;
        assert_eq!(status().await, email::Status::Queued);
        let disabled = change(&app, &owner, first.id, id, disable).await.unwrap().membership;
        assert_eq!((disabled.status, disabled.role), (Status::Disabled, Role::Admin));
        assert_eq!(status().await, email::Status::Suppressed);
        let user = portal_user::Entity::find().one(app.db()).await.unwrap().unwrap();
        assert!(user.disabled_at.is_none(), "a tenant disables its own membership only");
    }
}
