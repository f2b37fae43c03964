//! Writing invitations: the rows, the mails and the audit events, for one person or for many.

use std::collections::HashSet;

use portico_entity::{
    InvitationId, MembershipId, client,
    email::Kind,
    invitation::{self, Mode},
    membership, portal_user,
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, sea_query::OnConflict};
use serde_json::json;

use super::{
    InvitationSettings, InviteInput, SentInvitation,
    inviter::Inviter,
    people::{self, PEOPLE_IN_A_STATEMENT},
};
use crate::{
    platform::{
        audit,
        error::{Error, Result},
        mail::{self, NewEmail},
        search,
        tx::Tx,
    },
    tenancy::{client_admins, search as entries},
};

/// Writes an invitation of each of `inputs` to `client`: the account, the membership, the invitation, the mail and the
/// audit event.
///
/// Returns the invitations in the order of `inputs`; `None` for a person who already has a membership of the client.
/// No two inputs may have the same address. The number of statements does not depend on the number of persons, except
/// that a statement handles at most [`PEOPLE_IN_A_STATEMENT`].
///
/// # Errors
/// `unavailable`, `internal` or [`Error::Aborted`] if the database fails.
pub(super) async fn write(
    tx: &mut Tx,
    inviter: &Inviter,
    client: &client::Model,
    inputs: &[&InviteInput],
) -> Result<Vec<Option<SentInvitation>>> {
    // Every transaction inserts in the same order, so that no two of them wait for each other.
    let mut order: Vec<usize> = (0..inputs.len()).collect();
    order.sort_unstable_by_key(|index| inputs.get(*index).map(|input| input.email.as_str()));
    let sorted: Vec<&InviteInput> = order.iter().filter_map(|index| inputs.get(*index).copied()).collect();
    let mut results = vec![None; inputs.len()];
    let mut order = order.into_iter();
    for inputs in sorted.chunks(PEOPLE_IN_A_STATEMENT) {
        let sent = write_sorted(tx, inviter, client, inputs).await?;
        for (index, sent) in order.by_ref().take(inputs.len()).zip(sent) {
            if let Some(result) = results.get_mut(index) {
                *result = sent;
            }
        }
    }
    announce_admins(tx, inviter, client, &results).await?;
    Ok(results)
}

/// Tells the administrators of `client` about the persons who have become administrators at once.
async fn announce_admins(
    tx: &mut Tx,
    inviter: &Inviter,
    client: &client::Model,
    written: &[Option<SentInvitation>],
) -> Result<()> {
    let members = written.iter().flatten().map(|sent| &sent.membership);
    let admins = members.filter(|membership| client_admins::is_admin(membership));
    let new: Vec<_> = admins.map(|membership| membership.portal_user_id).collect();
    client_admins::announce(tx, &inviter.actor, client, &new).await
}

/// Writes the invitations of at most [`PEOPLE_IN_A_STATEMENT`] persons, who are sorted by their address.
async fn write_sorted(
    tx: &mut Tx,
    inviter: &Inviter,
    client: &client::Model,
    inputs: &[&InviteInput],
) -> Result<Vec<Option<SentInvitation>>> {
    people::insert_unknown(tx, inputs).await?;
    let emails: Vec<_> = inputs.iter().map(|input| &input.email).collect();
    let mut people = people::find(tx, inviter, client.id, &emails).await?;
    let mut rows = Vec::with_capacity(inputs.len());
    for input in inputs {
        // Only the job that deletes unused rows can have deleted the row since it was inserted or found.
        let missing = || Error::Aborted("the portal_users row of an invited person was deleted".into());
        let person = people.remove(input.email.as_str()).ok_or_else(missing)?;
        rows.push(new_rows(tx, inviter, client, input, &person.user, person.mode));
    }
    let new = insert_memberships(tx, &rows).await?;
    let sent: Vec<Option<SentInvitation>> =
        rows.into_iter().map(|row| new.contains(&row.membership.id).then_some(row)).collect();
    let written: Vec<&SentInvitation> = sent.iter().flatten().collect();
    if !written.is_empty() {
        let rows = written.iter().map(|sent| sent.invitation.clone().into_active_model());
        invitation::Entity::insert_many(rows).exec_without_returning(tx.db()).await?;
        index(tx, inviter, &written).await?;
        enqueue_mails(tx, inviter, client, inputs.iter().zip(&sent)).await?;
        record(tx, inviter, client, &written).await?;
    }
    Ok(sent)
}

/// Returns the rows that invite `user`: the membership is `Invited` and the invitation `Pending` for a setup, `Active`
/// and `Accepted` for a notification.
fn new_rows(
    tx: &Tx,
    inviter: &Inviter,
    client: &client::Model,
    input: &InviteInput,
    user: &portal_user::Model,
    mode: Mode,
) -> SentInvitation {
    let app = tx.app();
    let now = app.now();
    let (member_status, status) = match mode {
        Mode::Setup => (membership::Status::Invited, invitation::Status::Pending),
        Mode::Notification => (membership::Status::Active, invitation::Status::Accepted),
    };
    let membership = membership::Model {
        id: MembershipId(app.new_id()),
        portal_user_id: user.id,
        client_id: client.id,
        display_name: input.name_or_default().into(),
        role: input.role,
        status: member_status,
        invited_at: now,
        last_used_at: None,
        tenant_id: Some(inviter.tenant),
        is_search_indexed: true,
    };
    let invitation = invitation::Model {
        id: InvitationId(app.new_id()),
        client_id: client.id,
        portal_user_id: user.id,
        email: input.email.to_string(),
        name: input.name_or_default().into(),
        role: input.role,
        mode,
        status,
        sent_count: 1,
        last_sent_at: now,
        links_valid_from: now,
        renewals: 0,
        expires_at: now + app.section::<InvitationSettings>().activation_ttl,
        created_by: inviter.creator.staff_user(),
        created_by_portal_user: inviter.creator.portal_user(),
        created_at: now,
        cancelled_at: None,
        shown_expires_at: None,
        locale: input.locale.clone(),
        reminders_sent: 0,
        tenant_id: Some(inviter.tenant),
        is_search_indexed: true,
    };
    SentInvitation { membership, email: user.email.clone(), invitation }
}

/// Inserts the memberships of the persons who have none at this client, and returns the ids of those memberships.
///
/// The `INSERT` ignores existing rows, so of several concurrent invitations of one person one succeeds.
async fn insert_memberships(tx: &Tx, rows: &[SentInvitation]) -> Result<HashSet<MembershipId>> {
    use membership::{Column, Entity};
    let ids: Vec<_> = rows.iter().map(|row| row.membership.id).collect();
    Entity::insert_many(rows.iter().map(|row| row.membership.clone().into_active_model()))
        .on_conflict(OnConflict::columns([Column::PortalUserId, Column::ClientId]).do_nothing().to_owned())
        .exec_without_returning(tx.db())
        .await?;
    let inserted = Entity::find().select_only().column(Column::Id).filter(Column::Id.is_in(ids));
    Ok(inserted.into_tuple::<MembershipId>().all(tx.db()).await?.into_iter().collect())
}

/// Adds the memberships and the invitations to the search index.
async fn index(tx: &mut Tx, inviter: &Inviter, written: &[&SentInvitation]) -> Result<()> {
    let found_by = written.iter().flat_map(|sent| {
        [
            entries::membership(inviter.tenant, &sent.membership, &sent.email),
            entries::invitation(inviter.tenant, &sent.invitation),
        ]
    });
    search::index(tx, found_by).await
}

/// Enqueues the mail of each written invitation.
async fn enqueue_mails<'a>(
    tx: &mut Tx,
    inviter: &Inviter,
    client: &client::Model,
    invitations: impl Iterator<Item = (&'a &'a InviteInput, &'a Option<SentInvitation>)>,
) -> Result<()> {
    let mails = invitations.filter_map(|(input, sent)| {
        let invitation = &sent.as_ref()?.invitation;
        let kind = match invitation.mode {
            Mode::Setup => Kind::Invitation,
            Mode::Notification => Kind::AccessNotice,
        };
        let mail = NewEmail {
            tenant: Some(inviter.tenant),
            client: Some(client.id),
            invitation: Some(invitation.id),
            expires_at: Some(invitation.expires_at),
            ..NewEmail::new(kind, &input.email)
        };
        Some((mail, Some(inviter.request_id)))
    });
    mail::enqueue_all(tx, mails.collect::<Vec<_>>()).await?;
    Ok(())
}

/// Records the audit event `invitation.created` for each written invitation.
async fn record(tx: &mut Tx, inviter: &Inviter, client: &client::Model, written: &[&SentInvitation]) -> Result<()> {
    let events = written.iter().map(|SentInvitation { invitation, .. }| {
        let event = audit::Event::new("invitation.created")
            .target("invitation", invitation.id.0)
            .tenant(inviter.tenant)
            .client(client.id)
            .details(json!({ "mode": invitation.mode, "role": invitation.role }));
        (inviter.actor.clone(), event)
    });
    audit::record_all(tx, events.collect::<Vec<_>>()).await
}
