//! The job that reminds people of their invitations.

use std::time::Duration;

use portico_entity::{
    InvitationId, TenantId,
    background_job::Lane,
    client,
    email::{self, Kind},
    invitation::{self, Column, Status},
    tenant,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, RelationTrait,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tracing::info;

use super::{InvitationSettings, list::latest_mail_of_row};
use crate::platform::{
    actor::Actor,
    app::App,
    audit,
    clock::Time,
    email_address::EmailAddress,
    error::Result,
    job::{Job, JobError},
    mail::{self, NewEmail},
    tx::Tx,
};

/// How many invitations one transaction handles.
const BATCH: u64 = 200;
/// The second reminder, which is also the number of reminders.
const LAST: i32 = 2;

/// Mails a reminder of each pending invitation when half of its time has passed, and another one when nine tenths have,
/// if `PORTICO_INVITE_REMINDERS` is on.
///
/// A reminder carries a new link that expires with the invitation; older links stay valid. If the job did not run for a
/// while, only the latest due reminder is sent. An invitation whose latest mail waits or has failed gets none, nor does
/// one to an archived client or of a suspended tenant.
#[derive(Default, Serialize, Deserialize)]
pub struct RemindInvited {}

impl Job for RemindInvited {
    const NAME: &'static str = "remind_invited";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> std::result::Result<(), JobError> {
        if !app.section::<InvitationSettings>().are_reminders_on {
            return Ok(());
        }
        let (mut reminded, mut after) = (0, None);
        while let Some(batch) = due(app, after).await? {
            after = batch.last().map(|(id, _)| *id);
            reminded += remind(app, &batch).await?;
        }
        info!(reminded, "people were reminded of their invitations");
        Ok(())
    }
}

/// When the reminders are due.
struct DueTimes {
    now: Time,
    /// An invitation that expires at this time or earlier gets the first reminder: half of the present value of
    /// `PORTICO_ACTIVATION_TTL` has passed, which may have been another one when the invitation was sent.
    first: Time,
    /// An invitation that expires at this time or earlier gets the second reminder.
    last: Time,
}

impl DueTimes {
    fn of(app: &App) -> Self {
        let life: Duration = app.section::<InvitationSettings>().activation_ttl;
        let now = app.now();
        Self { now, first: now + life / 2, last: now + life / 10 }
    }

    /// A condition for the invitations to which reminder number `reminder` is due.
    fn condition(&self, reminder: i32) -> Condition {
        let due = Condition::all()
            .add(Column::Status.eq(Status::Pending))
            // After a renewal by the person, a reminder in the mail log of the tenant would tell of it.
            .add(Column::ShownExpiresAt.is_null())
            .add(Column::ExpiresAt.gt(self.now))
            .add(Column::RemindersSent.lt(reminder));
        if reminder == LAST {
            due.add(Column::ExpiresAt.lte(self.last))
        } else {
            due.add(Column::ExpiresAt.gt(self.last)).add(Column::ExpiresAt.lte(self.first))
        }
    }
}

/// Returns the next invitations, after the id `after`, to which a reminder is due, with their tenants. `None` if there
/// are no more.
async fn due(app: &App, after: Option<InvitationId>) -> Result<Option<Vec<(InvitationId, TenantId)>>> {
    let times = DueTimes::of(app);
    let undelivered = latest_mail_of_row([email::Status::Queued, email::Status::Failed]);
    let mut query = invitation::Entity::find()
        .inner_join(client::Entity)
        .join(sea_orm::JoinType::InnerJoin, client::Relation::Tenant.def())
        .select_only()
        .column(Column::Id)
        .column(client::Column::TenantId)
        .filter(Condition::any().add(times.condition(1)).add(times.condition(LAST)))
        .filter(client::Column::Status.ne(client::Status::Archived))
        .filter(tenant::Column::Status.eq(tenant::Status::Active))
        .filter(Expr::exists(undelivered).not());
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    let rows: Vec<(InvitationId, TenantId)> =
        query.order_by_asc(Column::Id).limit(BATCH).into_tuple().all(app.db()).await?;
    Ok(Some(rows).filter(|rows| !rows.is_empty()))
}

/// Mails the reminders that are due to these invitations and returns how many.
///
/// Conditional `UPDATE`s select the invitations, so each reminder is sent once, for any number of workers.
async fn remind(app: &App, batch: &[(InvitationId, TenantId)]) -> Result<usize> {
    let mut tx = app.begin().await?;
    let times = DueTimes::of(app);
    let mut reminded = Vec::new();
    for reminder in [1, LAST] {
        let marked = invitation::Entity::update_many()
            .col_expr(Column::RemindersSent, Expr::value(reminder))
            .filter(Column::Id.is_in(batch.iter().map(|(id, _)| *id)))
            .filter(times.condition(reminder))
            .exec_with_returning(tx.db())
            .await?;
        reminded.extend(marked);
    }
    let with_tenant: Vec<_> = reminded
        .iter()
        .filter_map(|invitation| {
            let (_, tenant) = batch.iter().find(|(id, _)| *id == invitation.id)?;
            Some((invitation, *tenant))
        })
        .collect();
    send(&mut tx, &with_tenant).await?;
    tx.commit().await?;
    Ok(with_tenant.len())
}

/// Enqueues the reminder of each invitation and records the audit events.
async fn send(tx: &mut Tx, invitations: &[(&invitation::Model, TenantId)]) -> Result<()> {
    let (mut mails, mut events) = (Vec::new(), Vec::new());
    for (invitation, tenant) in invitations {
        let mail = NewEmail {
            tenant: Some(*tenant),
            client: Some(invitation.client_id),
            invitation: Some(invitation.id),
            expires_at: Some(invitation.expires_at),
            ..NewEmail::new(Kind::InvitationReminder, &EmailAddress::stored(&invitation.email)?)
        };
        mails.push((mail, None));
        let event = audit::Event::new("invitation.reminded")
            .target("invitation", invitation.id.0)
            .tenant(*tenant)
            .client(invitation.client_id)
            .details(json!({ "reminder": invitation.reminders_sent }));
        events.push((Actor::SYSTEM, event));
    }
    mail::enqueue_all(tx, mails).await?;
    audit::record_all(tx, events).await
}
