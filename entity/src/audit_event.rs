//! `audit_events`: the audit log. A row says who did what to which object, from where and when.
//!
//! A worker seals each row once: it gives the row the next sequence of its chain, a MAC over the row and the MAC before
//! it, and a commitment to each personal value. The chain of a row is that of its tenant, or of the installation. The
//! oldest rows of a chain are deleted after `PORTICO_AUDIT_RETENTION`. A personal value may be erased with its salt,
//! which leaves the chain valid, because the commitment stays; other columns of a sealed row never change.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{AuditEventId, ClientId, TenantId};

/// The kind of actor that an event names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ActorRealm {
    /// A portal user.
    Portal,
    /// A staff user.
    Staff,
    /// A service account, which acts by an API token.
    Service,
    /// Portico itself: a job or a command of the command line.
    System,
    /// A caller without a valid session.
    Anonymous,
}

/// The outcome of the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The action was done.
    Success,
    /// The action was attempted and refused.
    Failure,
}

/// A row of `audit_events`: one action.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: AuditEventId,
    /// The tenant whose audit log shows the event. Null for an event that belongs to no tenant, such as a failed
    /// sign-in.
    pub tenant_id: Option<TenantId>,
    /// The client that the event concerns. Null when it concerns no client in particular.
    pub client_id: Option<ClientId>,
    /// The kind of actor.
    pub actor_realm: ActorRealm,
    /// The id of the portal user, staff user or service account that acted. Null for the system and for anonymous
    /// callers.
    pub actor_id: Option<Uuid>,
    /// The action, as `noun.verb_in_past_tense`, for example `session.opened`. An action is never renamed.
    pub action: String,
    /// The kind of object that `target_id` names, for example `portal_user`. Null when the event has no target.
    pub target_kind: Option<String>,
    /// The id of the object that the action concerned. Null when the event has no target.
    pub target_id: Option<Uuid>,
    /// Whether the action was done or refused.
    pub outcome: Outcome,
    /// Further facts as a JSON object: ids and states, never a secret. Empty when there are none.
    #[sea_orm(column_type = "JsonBinary")]
    pub details: Json,
    /// The IP address of the request. Null when the event was not caused by a request, or the address is unknown.
    pub ip: Option<String>,
    /// The `User-Agent` of the request, at most 200 characters. Null when there was none.
    pub user_agent: Option<String>,
    /// The id of the request, a UUID. Null when the event was not caused by a request.
    pub request_id: Option<String>,
    /// When the action took place.
    pub at: DateTimeUtc,
    /// The name of the actor at that time, as the tenant of the event knows it. Null when the actor has none, when it
    /// was erased, and in rows from before this column.
    pub actor_name: Option<String>,
    /// The email address of the actor at that time. Null as `actor_name`.
    pub actor_address: Option<String>,
    /// The position in the chain, from 1 without gaps. Null until the row is sealed.
    pub sequence: Option<i64>,
    /// The MAC of the row and of the MAC before it, 64 hexadecimal digits. Null until the row is sealed.
    pub mac: Option<String>,
    /// The fingerprint of the entry of `PORTICO_SECRET` that made `mac`. Null until the row is sealed.
    pub seal_key: Option<String>,
    /// The salt of the commitment to `actor_name`, 32 hexadecimal digits. Null as the value.
    pub actor_name_salt: Option<String>,
    /// The SHA-256 hash of the salt and the value, 64 hexadecimal digits. Stays when salt and value are erased.
    pub actor_name_commitment: Option<String>,
    /// The salt of the commitment to `actor_address`.
    pub actor_address_salt: Option<String>,
    /// The commitment to `actor_address`.
    pub actor_address_commitment: Option<String>,
    /// The salt of the commitment to `ip`.
    pub ip_salt: Option<String>,
    /// The commitment to `ip`.
    pub ip_commitment: Option<String>,
    /// The salt of the commitment to `user_agent`.
    pub user_agent_salt: Option<String>,
    /// The commitment to `user_agent`.
    pub user_agent_commitment: Option<String>,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
