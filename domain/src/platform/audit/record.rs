//! Recording events.

use portico_entity::{
    AuditEventId, ClientId, TenantId,
    audit_event::{self, Outcome},
};
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::platform::{actor::Actor, error::Result, metrics, tx::Tx};

/// An audit event: an action that succeeded or that was refused.
#[derive(Clone)]
pub struct Event {
    action: &'static str,
    target: Option<(&'static str, Uuid)>,
    tenant: Option<TenantId>,
    client: Option<ClientId>,
    outcome: Outcome,
    details: Value,
}

impl Event {
    /// Creates an event that says that `action` succeeded. An action is named `noun.verb_in_past_tense` and never
    /// renamed.
    pub fn new(action: &'static str) -> Self {
        Self { action, target: None, tenant: None, client: None, outcome: Outcome::Success, details: json!({}) }
    }

    /// Creates an event that says that `action` was attempted and refused.
    pub fn failed(action: &'static str) -> Self {
        Self { outcome: Outcome::Failure, ..Self::new(action) }
    }

    /// Sets the target of the action: the kind of the object, such as `session`, and its id.
    pub fn target(self, kind: &'static str, id: Uuid) -> Self {
        Self { target: Some((kind, id)), ..self }
    }

    /// Sets the tenant whose audit log shows the event. Without a tenant, as for personal events and failed sign-ins,
    /// no audit log of a tenant shows it.
    pub fn tenant(self, tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), ..self }
    }

    /// Sets the client that the event concerns.
    pub fn client(self, client: ClientId) -> Self {
        Self { client: Some(client), ..self }
    }

    /// Sets further details, as a JSON object of ids and states. They never contain a secret.
    pub fn details(self, details: Value) -> Self {
        Self { details, ..self }
    }
}

/// Writes `event` to the audit log, with `actor` as the actor. The details of an act by an API token name the token.
///
/// # Errors
/// `unavailable` or `internal` if the database fails. The caller must then not commit `tx`.
pub async fn record(tx: &mut Tx, actor: impl Into<Actor>, event: Event) -> Result<()> {
    record_all(tx, [(actor.into(), event)]).await
}

/// Writes several events, each with its actor, to the audit log with one statement.
///
/// # Errors
/// The errors of [`record`].
pub(crate) async fn record_all(tx: &mut Tx, events: impl IntoIterator<Item = (Actor, Event)>) -> Result<()> {
    let (mut rows, mut counted) = (Vec::new(), Vec::new());
    for (actor, event) in events {
        counted.push((event.action, event.outcome == Outcome::Success));
        rows.push(row(tx, actor, event));
    }
    if !rows.is_empty() {
        audit_event::Entity::insert_many(rows).exec_without_returning(tx.db()).await?;
    }
    for (action, is_success) in counted {
        tx.count_on_commit(move || metrics::audit_event(action, is_success));
    }
    Ok(())
}

fn row(tx: &Tx, actor: Actor, event: Event) -> audit_event::ActiveModel {
    let (target_kind, target_id) = event.target.unzip();
    let actor_name = actor.name_for(event.tenant).map(Into::into);
    let Actor { realm, id, address, token, context, .. } = actor;
    let mut details = event.details;
    if let (Some(token), Value::Object(details)) = (token, &mut details) {
        details.insert("api_token".into(), token.to_string().into());
    }
    audit_event::ActiveModel {
        id: Set(AuditEventId(tx.app().new_id())),
        tenant_id: Set(event.tenant),
        client_id: Set(event.client),
        actor_realm: Set(realm),
        actor_id: Set(id),
        action: Set(event.action.into()),
        target_kind: Set(target_kind.map(Into::into)),
        target_id: Set(target_id),
        outcome: Set(event.outcome),
        details: Set(details),
        ip: Set(context.as_ref().and_then(|context| context.ip).map(|ip| ip.to_string())),
        user_agent: Set(context.as_ref().and_then(|context| context.user_agent.clone())),
        request_id: Set(context.map(|context| context.request_id.to_string())),
        at: Set(tx.app().now()),
        actor_name: Set(actor_name),
        actor_address: Set(address),
        // A worker seals the row.
        ..Default::default()
    }
}
