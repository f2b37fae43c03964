//! Exporting the events of the audit log.

use chrono::TimeDelta;
use portico_entity::{
    TenantId,
    audit_event::{Column as EventColumn, Model},
    audit_export::{self, Column, Entity},
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use tracing::warn;
use uuid::Uuid;

use super::{AuditFilter, Event, Scope, record};
use crate::platform::{
    actor::{Authorized, access::AuditRead},
    app::App,
    error::{Error, Result},
};

/// How many exports of one tenant may run at the same time, over all processes.
pub const MAX_EXPORTS: i32 = 2;
/// How many events one query reads.
const PAGE: u64 = 500;
/// How long an export keeps its slot after its last page. A page reaches the slowest allowed reader in less time.
const LEASE: TimeDelta = TimeDelta::minutes(5);

/// A running export, newest event first. It reads page by page, and has no connection and no transaction in between.
pub struct Export {
    app: App,
    scope: Scope,
    filter: AuditFilter,
    /// The id of the last event of the last page.
    after: Option<Uuid>,
    has_ended: bool,
    slot: Option<Slot>,
}

/// A slot that an export holds. It becomes free when this is dropped, or when its lease expires.
struct Slot {
    app: App,
    tenant: TenantId,
    number: i32,
    holder: Uuid,
}

impl Export {
    /// Starts an export of the events of the caller's tenant that match `filter`. The start is itself an event.
    ///
    /// # Errors
    /// - `overloaded` if [`MAX_EXPORTS`] of the tenant are running.
    /// - `unavailable` or `internal` if the database fails.
    pub async fn start(app: &App, caller: &Authorized<AuditRead>, filter: AuditFilter) -> Result<Self> {
        let slot = take_slot(app, caller.tenant.id).await?.ok_or(Error::Overloaded)?;
        let mut tx = app.begin().await?;
        let event = Event::new("audit_log.exported").tenant(caller.tenant.id).details(filter.details());
        record(&mut tx, caller, event).await?;
        tx.commit().await?;
        Ok(Self { slot: Some(slot), ..Self::of(app, Scope::Tenant(caller.tenant.id), filter) })
    }

    /// Starts an export of the events of `scope`, without a limit. For the command line.
    pub fn of(app: &App, scope: Scope, filter: AuditFilter) -> Self {
        Self { app: app.clone(), scope, filter, after: None, has_ended: false, slot: None }
    }

    /// Returns the next events; `None` after the last one.
    ///
    /// # Errors
    /// `unavailable`, `aborted` or `internal` if the database fails, or if the export was too slow and another one has
    /// its slot. The export cannot be continued then.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Model>>> {
        if self.has_ended {
            return Ok(None);
        }
        if let Some(slot) = &self.slot {
            slot.renew().await?;
        }
        let mut query = self.filter.query(self.scope);
        if let Some(after) = self.after {
            query = query.filter(EventColumn::Id.lt(after));
        }
        let events = query.order_by_desc(EventColumn::Id).limit(PAGE).all(self.app.db()).await?;
        self.after = events.last().map(|event| event.id.0);
        self.has_ended = (events.len() as u64) < PAGE;
        Ok(Some(events).filter(|events| !events.is_empty()))
    }
}

/// Takes a free slot of `tenant`: one whose row does not exist or whose lease has expired. Each try is one statement.
async fn take_slot(app: &App, tenant: TenantId) -> Result<Option<Slot>> {
    let holder = app.new_id();
    for number in 0..MAX_EXPORTS {
        let now = app.now();
        let row = audit_export::Model { tenant_id: tenant, slot: number, holder, expires_at: now + LEASE };
        let is_free = Expr::col((Entity, Column::ExpiresAt)).lte(now);
        let take = OnConflict::columns([Column::TenantId, Column::Slot])
            .update_columns([Column::Holder, Column::ExpiresAt])
            .action_and_where(is_free)
            .to_owned();
        let taken = Entity::insert(row.into_active_model()).on_conflict(take);
        if taken.exec_without_returning(app.db()).await? == 1 {
            return Ok(Some(Slot { app: app.clone(), tenant, number, holder }));
        }
    }
    Ok(None)
}

impl Slot {
    /// Extends the lease.
    async fn renew(&self) -> Result<()> {
        let renewed = Entity::update_many()
            .col_expr(Column::ExpiresAt, Expr::value(self.app.now() + LEASE))
            .filter(Column::TenantId.eq(self.tenant))
            .filter(Column::Slot.eq(self.number))
            .filter(Column::Holder.eq(self.holder))
            .exec(self.app.db())
            .await?;
        let lost = || Error::Unavailable("the export was too slow, and another one has its slot".into());
        if renewed.rows_affected == 1 { Ok(()) } else { Err(lost()) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let (app, tenant, number, holder) = (self.app.clone(), self.tenant, self.number, self.holder);
        let release = async move {
            let released = Entity::delete_many()
                .filter(Column::TenantId.eq(tenant))
                .filter(Column::Slot.eq(number))
                .filter(Column::Holder.eq(holder))
                .exec(app.db())
                .await;
            if let Err(error) = released {
                warn!(%error, "a slot for exports of the audit log stays taken until its lease expires");
            }
        };
        // Without a runtime, the process ends, and the lease expires.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(release);
        }
    }
}
