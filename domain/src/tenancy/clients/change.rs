//! Changing, archiving and restoring a client.

use portico_entity::{
    ClientId,
    client::{self, Status},
    email, invitation, session,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    QueryTrait, sea_query::Expr,
};
use serde_json::json;

use super::ExternalRef;
use crate::{
    platform::{
        actor::{Authorized, access::ClientsEdit},
        app::App,
        audit,
        error::{Error, Result},
        name::Name,
        search,
        session_revocation::{RevocationReason, revoke_sessions},
        tx::Tx,
    },
    tenancy::{client_admins, search as entries},
};

/// The input of [`change`]. A field that is `None` stays unchanged.
#[derive(Default)]
pub struct ClientChange {
    /// The new name.
    pub name: Option<Name>,
    /// The tenant's own new reference for the client. `Some(None)` removes it.
    pub external_ref: Option<Option<ExternalRef>>,
    /// The new status. `Archived` archives the client; any other status restores an archived client.
    pub status: Option<Status>,
}

/// Changes a client of the caller's tenant and returns its new row.
///
/// If every field of `change` is `None`, nothing is written. Archiving a client ends its sessions immediately and
/// suppresses its queued mails. Its data stays. Restoring a client does not restore its sessions.
///
/// # Errors
/// - `not_found`: the caller's tenant has no client with this id.
/// - `conflict`: the tenant already has another client with this `external_ref`.
/// - `unavailable` or `internal`: a database query failed.
pub async fn change(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    id: ClientId,
    change: ClientChange,
) -> Result<client::Model> {
    let mut tx = app.begin().await?;
    super::of(caller.tenant.id).find(tx.db(), id).await?;
    // Two requests that archive and restore at the same time must see each other's status.
    let client = client_admins::lock_client(&mut tx, id).await?;
    let was_archived = client.status == Status::Archived;
    let mut fields = Vec::new();
    let mut row = client.clone().into_active_model();
    if let Some(name) = change.name {
        row.name = Set(name.to_string());
        fields.push("name");
    }
    if let Some(external_ref) = change.external_ref {
        row.external_ref = Set(external_ref.map(|reference| reference.0));
        fields.push("external_ref");
    }
    if let Some(status) = change.status {
        row.status = Set(status);
        fields.push("status");
    }
    if fields.is_empty() {
        return Ok(client);
    }
    let client = row.update(tx.db()).await.map_err(|error| Error::unique(error, super::REFERENCE_IN_USE))?;
    search::index(&mut tx, [entries::client(&client)]).await?;
    if client.status == Status::Archived {
        suppress_mail(&mut tx, id).await?;
    }
    // Also on restore: a session that may have been opened at the archived client must not become usable.
    let reason = match client.status {
        Status::Archived => Some(RevocationReason::ClientArchived),
        _ => was_archived.then_some(RevocationReason::ClientRestored),
    };
    if let Some(reason) = reason {
        revoke_sessions(&mut tx, session::Column::ClientId.eq(id), reason).await?;
    }
    let details = json!({ "fields": fields, "status": client.status });
    let event =
        audit::Event::new("client.changed").target("client", id.0).tenant(caller.tenant.id).client(id).details(details);
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await?;
    Ok(client)
}

/// Suppresses the queued mails of the client, and those with a link of one of its invitations that a person has asked
/// for, because their links would lead to an archived client.
async fn suppress_mail(tx: &mut Tx, id: ClientId) -> Result<()> {
    let invitations = invitation::Entity::find()
        .select_only()
        .column(invitation::Column::Id)
        .filter(invitation::Column::ClientId.eq(id));
    let of_client = Condition::any()
        .add(email::Column::ClientId.eq(id))
        .add(email::Column::InvitationId.in_subquery(invitations.into_query()));
    email::Entity::update_many()
        .col_expr(email::Column::Status, Expr::value(email::Status::Suppressed))
        .col_expr(email::Column::Detail, Expr::value("the client was archived"))
        .filter(email::Column::Status.eq(email::Status::Queued))
        .filter(of_client)
        .exec(tx.db())
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        platform::mail::{self, NewEmail},
        tenancy::invitations::{self, InviteInput},
        testing,
    };

    #[tokio::test]
    async fn archiving_suppresses_queued_mail_also_that_a_person_has_requested() {
        let app = testing::app().await;
        let client = app.insert_client().await;
        let owner: Authorized<ClientsEdit> = app.owner_of(client.tenant_id).await.authorize(app.now()).unwrap();
        let role = portico_entity::membership::Role::Member;
        let input = InviteInput { email: "ann@x.test".parse().unwrap(), name: None, role, locale: None };
        let invited = invitations::invite(&app, &owner, client.id, input).await.unwrap();
        let mut tx = app.begin().await.unwrap();
        let to = "ann@x.test".parse().unwrap();
        let requested =
            NewEmail { invitation: Some(invited.invitation.id), ..NewEmail::new(email::Kind::Invitation, &to) };
        mail::enqueue(&mut tx, requested).await.unwrap();
        mail::enqueue(&mut tx, NewEmail::new(email::Kind::Reset, &to)).await.unwrap();
        tx.commit().await.unwrap();

        let archive = ClientChange { status: Some(Status::Archived), ..ClientChange::default() };
        change(&app, &owner, client.id, archive).await.unwrap();
        let restore = ClientChange { status: Some(Status::Active), ..ClientChange::default() };
        change(&app, &owner, client.id, restore).await.unwrap();
        app.run_queue().await;
        let mails = email::Entity::find().all(app.db()).await.unwrap();
        let suppressed: Vec<_> =
            mails.iter().filter(|mail| mail.detail.as_deref() == Some("the client was archived")).collect();
        assert_eq!((mails.len(), suppressed.len()), (3, 2));
        // The reset is about the account and not about the client.
        assert!(suppressed.iter().all(|mail| mail.kind == email::Kind::Invitation));
    }
}
