//! The queries that load a session. Every request with a session runs one of them.
//!
//! The SQL text of each query is built once per process and then reused, because building it takes about as long as
//! the database takes to answer it.

use std::sync::OnceLock;

use portico_entity::{SessionId, UserId, client, membership, portal_user, session, staff_user, tenant};
use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult, QueryResult, QueryTrait, Statement, Values};
use uuid::Uuid;

use crate::platform::{app::App, database::Database, error::Result};

/// The SQL texts of the queries, in the dialect of the app's database. Each text is built at its first use.
#[derive(Default)]
pub struct SessionQueries {
    portal: OnceLock<String>,
    portal_with_memberships: OnceLock<String>,
    staff: OnceLock<String>,
}

/// The rows of a portal session, as loaded. Nothing in them is checked.
pub(super) struct PortalRows {
    /// The session.
    pub(super) session: session::Model,
    /// The session's owner.
    pub(super) user: portal_user::Model,
    /// The memberships that the query selects, in any status, each with its client and the client's tenant.
    pub(super) memberships: Vec<MembershipRows>,
}

/// The rows of one membership, as loaded. Nothing in them is checked.
pub(super) struct MembershipRows {
    /// The membership, in any status.
    pub(super) membership: membership::Model,
    /// Its client, in any status.
    pub(super) client: client::Model,
    /// The client's tenant, in any status.
    pub(super) tenant: tenant::Model,
}

impl SessionQueries {
    /// Loads the session `sid` with its owner and its own membership. Returns `None` when there is no such portal
    /// session.
    ///
    /// # Errors
    /// `unavailable` or `internal` when the database fails.
    pub(super) async fn portal(&self, app: &App, sid: SessionId) -> Result<Option<PortalRows>> {
        let query = || {
            session::Entity::find_by_id(PLACEHOLDER)
                .find_also_related(portal_user::Entity)
                .find_also(session::Entity, membership::Entity)
                .find_also(membership::Entity, client::Entity)
                .find_also(client::Entity, tenant::Entity)
        };
        let rows = run(app.db(), &self.portal, |db| query().build(db.get_database_backend()), sid).await?;
        read_portal(&rows)
    }

    /// Loads the session `sid` with its owner and all memberships of its owner. Returns `None` when there is no such
    /// portal session.
    ///
    /// # Errors
    /// `unavailable` or `internal` when the database fails.
    pub(super) async fn portal_with_memberships(&self, app: &App, sid: SessionId) -> Result<Option<PortalRows>> {
        let query = || {
            session::Entity::find_by_id(PLACEHOLDER)
                .find_also_related(portal_user::Entity)
                .find_also(portal_user::Entity, membership::Entity)
                .find_also(membership::Entity, client::Entity)
                .find_also(client::Entity, tenant::Entity)
        };
        let rows =
            run(app.db(), &self.portal_with_memberships, |db| query().build(db.get_database_backend()), sid).await?;
        read_portal(&rows)
    }

    /// Loads the session `sid` with its owner and the owner's tenant. Returns `None` when there is no such staff
    /// session.
    ///
    /// # Errors
    /// `unavailable` or `internal` when the database fails.
    pub(super) async fn staff(
        &self,
        app: &App,
        sid: SessionId,
    ) -> Result<Option<(session::Model, staff_user::Model, tenant::Model)>> {
        let query = || {
            session::Entity::find_by_id(PLACEHOLDER)
                .find_also_related(staff_user::Entity)
                .find_also(staff_user::Entity, tenant::Entity)
        };
        let rows = run(app.db(), &self.staff, |db| query().build(db.get_database_backend()), sid).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let session = session::Model::from_query_result(row, "A_")?;
        let user = staff_user::Model::from_query_result_optional(row, "B_")?;
        let tenant = tenant::Model::from_query_result_optional(row, "C_")?;
        let is_owner = |user: &staff_user::Model| session.owner() == Some(UserId::Staff(user.id));
        Ok(user.filter(is_owner).zip(tenant).map(|(user, tenant)| (session, user, tenant)))
    }
}

/// The session id in the queries from which the SQL texts are built. [`run`] replaces it.
const PLACEHOLDER: SessionId = SessionId(Uuid::nil());

/// Runs the query whose SQL text is `text` with `sid` as its only parameter. Builds the text with `build` if it is
/// not built yet.
async fn run(
    db: &Database,
    text: &OnceLock<String>,
    build: impl FnOnce(&Database) -> Statement,
    sid: SessionId,
) -> Result<Vec<QueryResult>> {
    let sql = text.get_or_init(|| build(db).sql);
    let values = Values(vec![sid.into()]);
    let statement = Statement { sql: sql.clone(), values: Some(values), db_backend: db.get_database_backend() };
    Ok(db.query_all_raw(statement).await?)
}

/// Reads the rows of one session. There is one row for each membership, and they all repeat the session and its owner.
fn read_portal(rows: &[QueryResult]) -> Result<Option<PortalRows>> {
    let Some(first) = rows.first() else { return Ok(None) };
    let session = session::Model::from_query_result(first, "A_")?;
    let Some(user) = portal_user::Model::from_query_result_optional(first, "B_")? else { return Ok(None) };
    if session.owner() != Some(UserId::Portal(user.id)) {
        return Ok(None);
    }
    let mut memberships = Vec::with_capacity(rows.len());
    for row in rows {
        let membership = membership::Model::from_query_result_optional(row, "C_")?;
        let client = client::Model::from_query_result_optional(row, "D_")?;
        if let (Some(membership), Some(client), Some(tenant)) =
            (membership, client, tenant::Model::from_query_result_optional(row, "E_")?)
        {
            memberships.push(MembershipRows { membership, client, tenant });
        }
    }
    Ok(Some(PortalRows { session, user, memberships }))
}
