//! The queries that every request with a session begins with. Each is put into words once and then only run: to make the
//! statement anew costs about as much as the database takes to answer it.

use std::sync::OnceLock;

use portico_entity::{SessionId, client, membership, portal_user, session, staff_user, tenant};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, EntityTrait, FromQueryResult, QueryResult, QueryTrait, Statement, Values,
};
use uuid::Uuid;

use crate::{app::App, error::Result, sign_in::ActiveMembership};

/// The queries' texts, as the database of this app wants them.
#[derive(Default)]
pub struct SessionQueries {
    portal: OnceLock<String>,
    portal_with_memberships: OnceLock<String>,
    staff: OnceLock<String>,
}

/// A portal session and the places that were asked for, open or not.
pub(super) struct PortalRows {
    pub(super) session: session::Model,
    pub(super) user: portal_user::Model,
    pub(super) memberships: Vec<(ActiveMembership, tenant::Model)>,
}

impl SessionQueries {
    /// The session with the one place that it is for.
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

    /// The session with all places of its person.
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

    /// A staff session.
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
        Ok(user.zip(tenant).map(|(user, tenant)| (session, user, tenant)))
    }
}

/// Stands in the text for the id that is looked for.
const PLACEHOLDER: SessionId = SessionId(Uuid::nil());

/// Runs the query for the session of this id, the only value that it has.
async fn run(
    db: &DatabaseConnection,
    text: &OnceLock<String>,
    build: impl FnOnce(&DatabaseConnection) -> Statement,
    sid: SessionId,
) -> Result<Vec<QueryResult>> {
    let sql = text.get_or_init(|| build(db).sql);
    let values = Values(vec![sid.into()]);
    let statement = Statement { sql: sql.clone(), values: Some(values), db_backend: db.get_database_backend() };
    Ok(db.query_all_raw(statement).await?)
}

fn read_portal(rows: &[QueryResult]) -> Result<Option<PortalRows>> {
    let Some(first) = rows.first() else { return Ok(None) };
    let session = session::Model::from_query_result(first, "A_")?;
    let Some(user) = portal_user::Model::from_query_result_optional(first, "B_")? else { return Ok(None) };
    let mut memberships = Vec::with_capacity(rows.len());
    for row in rows {
        let membership = membership::Model::from_query_result_optional(row, "C_")?;
        let client = client::Model::from_query_result_optional(row, "D_")?;
        if let (Some(membership), Some(client), Some(tenant)) =
            (membership, client, tenant::Model::from_query_result_optional(row, "E_")?)
        {
            memberships.push((ActiveMembership { membership, client }, tenant));
        }
    }
    Ok(Some(PortalRows { session, user, memberships }))
}
