//! `/api/v1/audit-events`: the audit log of the tenant. Called by staff users.

use std::io;

use chrono::{DateTime, Utc};
use futures_util::{Stream, stream::try_unfold};
use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, param::Query, payload::Json, types::ToJSON};
use portico_domain::{
    entity::{
        ClientId,
        audit_event::{self, ActorRealm},
    },
    platform::{
        actor::{self, access::AuditRead},
        app::App,
        audit::{self, AuditFilter, Export},
        page::{Page, PageRequest},
    },
};
use tracing::warn;
use uuid::Uuid;

use crate::http::{
    auth::{Authorized, check_still_authorized},
    error::ApiResult,
    fields::{ActionName, Field, Timestamp},
    json_object::JsonObject,
    ndjson::Ndjson,
    nullable::Nullable,
    page,
    tags::Tag,
};

/// The operations of the tag `audit events`.
pub(crate) struct AuditEvents;

/// An event of the audit log: an action that succeeded or that was refused.
#[derive(Object)]
struct AuditEvent {
    /// The id of the event (UUIDv7).
    id: Uuid,
    /// The position of the event in the chain of the tenant, from 1 without gaps; `null` until the event is sealed,
    /// which takes about 10 seconds.
    sequence: Nullable<i64>,
    /// When the action took place (RFC 3339, UTC).
    at: DateTime<Utc>,
    /// Who acted.
    actor: AuditActor,
    /// The action, as `noun.verb_in_past_tense`, for example `invitation.created`.
    action: String,
    /// The object that the action concerned; `null` if there is none.
    target: Nullable<AuditTarget>,
    /// The id of the client that the action concerned; `null` if it concerned none in particular.
    client_id: Nullable<Uuid>,
    /// The IP address of the request; `null` if no request caused the event, or if the address was erased.
    ip: Nullable<String>,
    /// The id of the request; `null` if no request caused the event.
    request_id: Nullable<String>,
    /// Whether the action was done.
    outcome: Outcome,
    /// Further facts: ids and states.
    details: JsonObject,
}

/// Who acted.
#[derive(Object)]
struct AuditActor {
    /// The kind of actor.
    realm: Realm,
    /// The id of the portal user, staff user or service account; `null` for `system` and `anonymous`.
    id: Nullable<Uuid>,
    /// The name of the actor at the time of the event: of a portal user, the name that the tenant typed. `null` if
    /// there is none, or if it was erased.
    name: Nullable<String>,
}

/// The object that an action concerned.
#[derive(Object)]
struct AuditTarget {
    /// The kind of object, for example `invitation`.
    kind: String,
    /// The id of the object.
    id: Uuid,
}

/// The kind of actor.
///
/// - `portal`: a portal user.
/// - `staff`: a staff user, or a program with their personal access token.
/// - `service`: a program with a token of a service account.
/// - `system`: Portico itself, or an operator on the command line.
/// - `anonymous`: a caller without a valid session.
#[derive(Enum, Clone, Copy)]
#[oai(rename = "ActorRealm", rename_all = "snake_case")]
enum Realm {
    /// A portal user.
    Portal,
    /// A staff user.
    Staff,
    /// A service account.
    Service,
    /// Portico itself, or an operator on the command line.
    System,
    /// A caller without a valid session.
    Anonymous,
}

/// Whether an action was done.
///
/// - `success`: the action was done.
/// - `failure`: the action was attempted and refused.
#[derive(Enum, Clone, Copy)]
#[oai(rename = "AuditOutcome", rename_all = "snake_case")]
enum Outcome {
    /// The action was done.
    Success,
    /// The action was attempted and refused.
    Failure,
}

/// A page of events, newest first.
#[derive(Object)]
struct AuditEventList {
    /// The events of this page.
    data: Vec<AuditEvent>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

impl From<audit_event::Model> for AuditEvent {
    fn from(event: audit_event::Model) -> Self {
        let target = event.target_kind.zip(event.target_id).map(|(kind, id)| AuditTarget { kind, id });
        Self {
            id: event.id.0,
            sequence: Nullable(event.sequence),
            at: event.at,
            actor: AuditActor {
                realm: match event.actor_realm {
                    ActorRealm::Portal => Realm::Portal,
                    ActorRealm::Staff => Realm::Staff,
                    ActorRealm::Service => Realm::Service,
                    ActorRealm::System => Realm::System,
                    ActorRealm::Anonymous => Realm::Anonymous,
                },
                id: Nullable(event.actor_id),
                name: Nullable(event.actor_name),
            },
            action: event.action,
            target: Nullable(target),
            client_id: Nullable(event.client_id.map(|id| id.0)),
            ip: Nullable(event.ip),
            request_id: Nullable(event.request_id),
            outcome: match event.outcome {
                audit_event::Outcome::Success => Outcome::Success,
                audit_event::Outcome::Failure => Outcome::Failure,
            },
            details: JsonObject(event.details),
        }
    }
}

impl From<Outcome> for audit_event::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Success,
            Outcome::Failure => Self::Failure,
        }
    }
}

#[OpenApi(prefix_path = "/api/v1/audit-events", tag = "Tag::AuditEvents")]
impl AuditEvents {
    /// List audit events
    ///
    /// Returns the events of the caller's tenant, newest first. The roles `owner`, `admin` and `viewer` may call this.
    #[allow(clippy::too_many_arguments, reason = "each is a query parameter")]
    #[oai(path = "/", method = "get", operation_id = "list_audit_events")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<AuditRead>,
        /// Only events of the actor with this id.
        actor: Query<Option<Field<Uuid>>>,
        /// Only events with this action, for example `session.opened`.
        action: Query<Option<Field<ActionName>>>,
        /// Only events whose target has this id.
        target: Query<Option<Field<Uuid>>>,
        /// Only events that concern this client.
        client_id: Query<Option<Field<ClientId>>>,
        /// Only events with this outcome.
        outcome: Query<Option<Outcome>>,
        /// Only events at this time or later (RFC 3339).
        from: Query<Option<Field<Timestamp>>>,
        /// Only events before this time (RFC 3339).
        to: Query<Option<Field<Timestamp>>>,
        /// The largest number of events on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Json<AuditEventList>, 0> {
        let filter = filter((actor, action, target, client_id), outcome, (from, to));
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        let Page { data, next_cursor } = audit::list(app, &caller, &filter, &page).await?.map(Into::into);
        Ok(Json(AuditEventList { data, next_cursor: Nullable(next_cursor) }))
    }

    /// Export audit events
    ///
    /// Returns all events of the caller's tenant that match the filters, newest first, as lines: each line is an
    /// object as in the list, without white space between its tokens. The last line is `{"end":true,"count":n}` with
    /// the number of events. A response without it was interrupted and is not complete: it ends when the session or the
    /// token of the caller ends. Two exports of a tenant may run at the same time; another one gets `overloaded`. A
    /// client must receive 64 KiB in 20 seconds. The start of an export is an event of the log.
    #[allow(clippy::too_many_arguments, reason = "each is a query parameter")]
    #[oai(path = "/export", method = "get", operation_id = "export_audit_events")]
    async fn export(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<AuditRead>,
        /// Only events of the actor with this id.
        actor: Query<Option<Field<Uuid>>>,
        /// Only events with this action, for example `session.opened`.
        action: Query<Option<Field<ActionName>>>,
        /// Only events whose target has this id.
        target: Query<Option<Field<Uuid>>>,
        /// Only events that concern this client.
        client_id: Query<Option<Field<ClientId>>>,
        /// Only events with this outcome.
        outcome: Query<Option<Outcome>>,
        /// Only events at this time or later (RFC 3339).
        from: Query<Option<Field<Timestamp>>>,
        /// Only events before this time (RFC 3339).
        to: Query<Option<Field<Timestamp>>>,
    ) -> ApiResult<Ndjson, 0> {
        let filter = filter((actor, action, target, client_id), outcome, (from, to));
        let export = Export::start(app, &caller, filter).await?;
        Ok(Ndjson::new(lines(app.clone(), caller.0, export)))
    }
}

/// The query parameters that are ids and an action.
type Subjects = (
    Query<Option<Field<Uuid>>>,
    Query<Option<Field<ActionName>>>,
    Query<Option<Field<Uuid>>>,
    Query<Option<Field<ClientId>>>,
);

/// The query parameters that are times.
type Period = (Query<Option<Field<Timestamp>>>, Query<Option<Field<Timestamp>>>);

/// Returns the filter of the query parameters.
fn filter(
    (actor, action, target, client_id): Subjects,
    outcome: Query<Option<Outcome>>,
    (from, to): Period,
) -> AuditFilter {
    AuditFilter {
        actor: actor.0.map(|Field(id)| id),
        action: action.0.map(|Field(ActionName(action))| action),
        target: target.0.map(|Field(id)| id),
        client: client_id.0.map(|Field(id)| id),
        outcome: outcome.0.map(Into::into),
        from: from.0.map(|Field(Timestamp(time))| time),
        to: to.0.map(|Field(Timestamp(time))| time),
    }
}

/// Returns the lines of an export, a page at a time. Nothing is read from the database before the client has taken the
/// page before. Each page needs that the caller is still authorized.
fn lines(
    app: App,
    caller: actor::Authorized<AuditRead>,
    export: Export,
) -> impl Stream<Item = io::Result<String>> + Send + 'static {
    try_unfold(Some((app, caller, export, 0_u64)), |state| async move {
        let Some((app, caller, mut export, count)) = state else { return Ok(None) };
        let page = async {
            check_still_authorized(&app, &caller).await?;
            export.next_page().await
        };
        let page = page.await.inspect_err(|error| warn!(%error, "an export was interrupted"));
        match page.map_err(io::Error::other)? {
            Some(events) => {
                let count = count + events.len() as u64;
                let lines = events.into_iter().map(|event| AuditEvent::from(event).to_json_string() + "\n").collect();
                Ok(Some((lines, Some((app, caller, export, count)))))
            }
            None => Ok(Some((format!("{{\"end\":true,\"count\":{count}}}\n"), None))),
        }
    })
}
