//! The query that loads an API token. Every request with a token runs it once.
//!
//! Its SQL text is built once per process and then reused, because building it takes about as long as the database
//! takes to answer it.

use std::sync::OnceLock;

use portico_entity::{
    api_token::{self, Column},
    service_account, staff_user, tenant,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryTrait, Statement, Values};

use crate::platform::{app::App, error::Result, secret::HashedToken};

/// The SQL text of the query, in the dialect of the app's database. It is built at its first use.
#[derive(Default)]
pub struct TokenQueries(OnceLock<String>);

/// The rows of a token, as loaded. Nothing in them is checked.
pub(super) struct TokenRows {
    /// The token.
    pub(super) token: api_token::Model,
    /// The staff user whose token it is.
    pub(super) user: Option<staff_user::Model>,
    /// The service account whose token it is.
    pub(super) account: Option<service_account::Model>,
    /// The tenant of the token.
    pub(super) tenant: tenant::Model,
}

impl TokenQueries {
    /// Loads the token with this hash, with its owner and tenant. Returns `None` when there is no such token.
    ///
    /// # Errors
    /// `unavailable` or `internal` when the database fails.
    pub(super) async fn find(&self, app: &App, hash: &HashedToken) -> Result<Option<TokenRows>> {
        let db = app.db();
        let backend = db.get_database_backend();
        let build = || {
            // The value is replaced below.
            let query = api_token::Entity::find()
                .filter(Column::TokenHash.eq(""))
                .find_also_related(staff_user::Entity)
                .find_also(api_token::Entity, service_account::Entity)
                .find_also(api_token::Entity, tenant::Entity);
            query.build(backend).sql
        };
        let sql = self.0.get_or_init(build).clone();
        let values = Some(Values(vec![hash.0.clone().into()]));
        let Some(row) = db.query_one_raw(Statement { sql, values, db_backend: backend }).await? else {
            return Ok(None);
        };
        let token = api_token::Model::from_query_result(&row, "A_")?;
        let user = staff_user::Model::from_query_result_optional(&row, "B_")?;
        let account = service_account::Model::from_query_result_optional(&row, "C_")?;
        let tenant = tenant::Model::from_query_result_optional(&row, "D_")?;
        Ok(tenant.map(|tenant| TokenRows { token, user, account, tenant }))
    }
}
