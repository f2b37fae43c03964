//! Listing the events of the audit log, one page at a time.

use portico_entity::{
    ClientId, TenantId,
    audit_event::{Column, Entity, Model, Outcome},
};
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, Order, QueryFilter, Select};
use serde_json::Value;
use uuid::Uuid;

use super::Scope;
use crate::platform::{
    actor::{Authorized, access::AuditRead},
    app::App,
    clock::{MAX_CLOCK_ERROR, Time, first_id_at},
    error::Result,
    page::{Page, PageRequest},
};

/// Which events [`list`] and [`Export`](super::Export) return. A field that is `None` does not restrict the list.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only events of the actor with this id.
    pub actor: Option<Uuid>,
    /// Only events with this action.
    pub action: Option<String>,
    /// Only events whose target has this id.
    pub target: Option<Uuid>,
    /// Only events that concern this client.
    pub client: Option<ClientId>,
    /// Only events with this outcome.
    pub outcome: Option<Outcome>,
    /// Only events at this time or later.
    pub from: Option<Time>,
    /// Only events before this time.
    pub to: Option<Time>,
}

impl AuditFilter {
    /// Returns the filter as the details of an event: the fields that select something.
    pub(super) fn details(&self) -> Value {
        let fields = [
            ("actor", self.actor.map(|id| id.to_string())),
            ("action", self.action.clone()),
            ("target", self.target.map(|id| id.to_string())),
            ("client_id", self.client.map(|id| id.to_string())),
            ("outcome", self.outcome.map(|outcome| outcome.to_value())),
            ("from", self.from.map(|time| time.to_rfc3339())),
            ("to", self.to.map(|time| time.to_rfc3339())),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?)))).collect()
    }

    /// Returns the query for the events of `scope` that match, without an order.
    pub(super) fn query(&self, scope: Scope) -> Select<Entity> {
        let mut query = match scope {
            Scope::All => Entity::find(),
            Scope::Installation => Entity::find().filter(Column::TenantId.is_null()),
            Scope::Tenant(tenant) => of(tenant),
        };
        let conditions = [
            self.actor.map(|id| Column::ActorId.eq(id)),
            self.action.as_deref().map(|action| Column::Action.eq(action)),
            self.target.map(|id| Column::TargetId.eq(id)),
            self.client.map(|id| Column::ClientId.eq(id)),
            self.outcome.map(|outcome| Column::Outcome.eq(outcome)),
            // Events are read in the order of their ids, which start with the time. So a range of ids bounds what is
            // read, and the time itself decides.
            self.from.map(|from| Column::Id.gte(first_id_at(from - MAX_CLOCK_ERROR))),
            self.from.map(|from| Column::At.gte(from)),
            self.to.map(|to| Column::Id.lt(first_id_at(to + MAX_CLOCK_ERROR))),
            self.to.map(|to| Column::At.lt(to)),
        ];
        for condition in conditions.into_iter().flatten() {
            query = query.filter(condition);
        }
        query
    }
}

/// Returns the query for the events that the audit log of `tenant` shows.
fn of(tenant: TenantId) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(tenant))
}

/// Returns a page of the events of the caller's tenant that match `filter`, newest first.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub async fn list(
    app: &App,
    caller: &Authorized<AuditRead>,
    filter: &AuditFilter,
    page: &PageRequest,
) -> Result<Page<Model>> {
    list_in(app, Scope::Tenant(caller.tenant.id), filter, page).await
}

/// Returns a page of the events of `scope` that match `filter`, newest first. For the command line.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub async fn list_in(app: &App, scope: Scope, filter: &AuditFilter, page: &PageRequest) -> Result<Page<Model>> {
    let rows = page.select(filter.query(scope), Column::Id, Order::Desc).all(app.db()).await?;
    Ok(page.page(rows, |event| event.id.0))
}
