//! The job that adds rows to the search index and to the lists which a version without them has inserted.

use portico_entity::{background_job::Lane, client, invitation, membership, portal_user};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, IntoTableRef, LockType, SelectStatement},
};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::platform::{
    app::App,
    error::Result,
    job::{Job, JobError},
    search,
};

/// How many rows one transaction adds to the index.
const BATCH: u64 = 500;

/// Adds the clients, memberships and invitations that are not in the search index: those of before the index existed,
/// and those that an older version inserts during a rollout. Fills in the tenant of the latter.
#[derive(Default, Serialize, Deserialize)]
pub struct IndexSearchWords {}

impl Job for IndexSearchWords {
    const NAME: &'static str = "index_search_words";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> std::result::Result<(), JobError> {
        let mut indexed = 0;
        loop {
            let count = clients(app).await? + memberships(app).await? + invitations(app).await?;
            if count == 0 {
                break;
            }
            indexed += count;
        }
        if indexed > 0 {
            info!(indexed, "rows were added to the search index");
        }
        Ok(())
    }
}

/// Puts all clients into the search index again. During a rollout, an older version renames clients without changing
/// their words. Of all objects that are searched, it renames only clients.
#[derive(Default, Serialize, Deserialize)]
pub struct ReindexClients {}

impl Job for ReindexClients {
    const NAME: &'static str = "reindex_clients";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> std::result::Result<(), JobError> {
        let mut tx = app.begin().await?;
        let marked = client::Entity::update_many()
            .col_expr(client::Column::IsSearchIndexed, Expr::value(false))
            .exec(tx.db())
            .await?;
        tx.enqueue(IndexSearchWords {}).await?;
        tx.commit().await?;
        info!(clients = marked.rows_affected, "the search index of clients is renewed");
        Ok(())
    }
}

/// Indexes a batch of clients and returns how many.
async fn clients(app: &App) -> Result<usize> {
    use client::{Column, Entity};
    let mut tx = app.begin().await?;
    let rows = Entity::find()
        .filter(Column::IsSearchIndexed.eq(false))
        .limit(BATCH)
        .lock(LockType::NoKeyUpdate)
        .all(tx.db())
        .await?;
    search::index(&mut tx, rows.iter().map(super::client)).await?;
    Entity::update_many()
        .col_expr(Column::IsSearchIndexed, Expr::value(true))
        .filter(Column::Id.is_in(rows.iter().map(|row| row.id)))
        .exec(tx.db())
        .await?;
    tx.commit().await?;
    Ok(rows.len())
}

/// Indexes a batch of memberships and returns how many.
async fn memberships(app: &App) -> Result<usize> {
    use membership::{Column, Entity};
    let mut tx = app.begin().await?;
    let query = Entity::find().find_also_related(portal_user::Entity).find_also(Entity, client::Entity);
    let rows = locked(query.filter(Column::IsSearchIndexed.eq(false)).limit(BATCH), Entity).all(tx.db()).await?;
    let entries = rows.iter().filter_map(|(membership, user, client)| {
        Some(super::membership(client.as_ref()?.tenant_id, membership, &user.as_ref()?.email))
    });
    search::index(&mut tx, entries).await?;
    Entity::update_many()
        .col_expr(Column::IsSearchIndexed, Expr::value(true))
        .col_expr(Column::TenantId, tenant_of_client(Column::ClientId))
        .filter(Column::Id.is_in(rows.iter().map(|(row, ..)| row.id)))
        .exec(tx.db())
        .await?;
    tx.commit().await?;
    Ok(rows.len())
}

/// Indexes a batch of invitations and returns how many.
async fn invitations(app: &App) -> Result<usize> {
    use invitation::{Column, Entity};
    let mut tx = app.begin().await?;
    let query = Entity::find().find_also_related(client::Entity);
    let rows = locked(query.filter(Column::IsSearchIndexed.eq(false)).limit(BATCH), Entity).all(tx.db()).await?;
    let entries =
        rows.iter().filter_map(|(invitation, client)| Some(super::invitation(client.as_ref()?.tenant_id, invitation)));
    search::index(&mut tx, entries).await?;
    Entity::update_many()
        .col_expr(Column::IsSearchIndexed, Expr::value(true))
        .col_expr(Column::TenantId, tenant_of_client(Column::ClientId))
        .filter(Column::Id.is_in(rows.iter().map(|(row, _)| row.id)))
        .exec(tx.db())
        .await?;
    tx.commit().await?;
    Ok(rows.len())
}

/// Returns `query` with the rows of `table` locked until the transaction ends. A name that is changed at the same time
/// is either read here, or is written with its words after this transaction.
fn locked<Q>(mut query: Q, table: impl IntoTableRef) -> Q
where
    Q: QuerySelect<QueryStatement = SelectStatement>,
{
    QuerySelect::query(&mut query).lock_with_tables(LockType::NoKeyUpdate, [table]);
    query
}

/// Returns a subquery for the tenant of the client in the column `client` of a row.
fn tenant_of_client(client: impl ColumnTrait) -> Expr {
    let tenant = client::Entity::find()
        .select_only()
        .column(client::Column::TenantId)
        .filter(Expr::col(client.as_column_ref()).equals(client::Column::Id.as_column_ref()))
        .into_query();
    Expr::SubQuery(None, Box::new(tenant.into()))
}

#[cfg(test)]
mod tests {
    use portico_entity::search_word;

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn client_of_an_older_version_is_added_to_the_index_once() {
        let app = testing::app().await;
        let client = app.insert_client().await;
        for _ in 0..2 {
            let mut tx = app.begin().await.unwrap();
            tx.enqueue(IndexSearchWords {}).await.unwrap();
            tx.commit().await.unwrap();
            app.run_queue().await;
            let words = search_word::Entity::find().all(app.db()).await.unwrap();
            assert!(!words.is_empty() && words.iter().all(|word| word.object_id == client.id.0));
        }
        let client = client::Entity::find_by_id(client.id).one(app.db()).await.unwrap().unwrap();
        assert!(client.is_search_indexed);
    }

    #[tokio::test]
    async fn name_that_an_older_version_has_changed_is_found_after_the_job() {
        let app = testing::app().await;
        let client = app.insert_client().await;
        for (name, words) in [("Acme Ltd", ["acme ltd", "ltd"]), ("Beta Inc", ["beta inc", "inc"])] {
            let rename = client::Entity::update_many().col_expr(client::Column::Name, Expr::value(name));
            rename.filter(client::Column::Id.eq(client.id)).exec(app.db()).await.unwrap();
            let mut tx = app.begin().await.unwrap();
            tx.enqueue(ReindexClients {}).await.unwrap();
            tx.commit().await.unwrap();
            app.run_queue().await;
            let found = search_word::Entity::find().all(app.db()).await.unwrap();
            let mut found: Vec<_> = found.into_iter().map(|row| row.word).collect();
            found.sort();
            assert_eq!(found, words);
        }
    }
}
