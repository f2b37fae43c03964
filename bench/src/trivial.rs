//! What `session` is compared with besides: a server of the same libraries, with as many database connections, whose one answer is what one
//! trivial select returns. Nothing that speaks HTTP and asks Postgres in this stack can be faster.

use std::io::Write;

use anyhow::Result;
use poem::{EndpointExt, Route, Server, handler, http::StatusCode, listener::TcpAcceptor, web::Data};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tokio::net::TcpListener;

use crate::postgres;

/// Serves `GET /` until killed, and says where on stderr.
pub(crate) async fn serve(database: &str) -> Result<()> {
    let db = postgres::connect(database, postgres::CONNECTIONS).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stderr(), "serving {}", listener.local_addr()?)?;
    let app = Route::new().at("/", poem::get(select)).with(poem::middleware::AddData::new(db));
    Ok(Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?).run(app).await?)
}

#[handler]
async fn select(Data(db): Data<&DatabaseConnection>) -> poem::Result<String> {
    let failed = |error: sea_orm::DbErr| poem::Error::from_string(error.to_string(), StatusCode::INTERNAL_SERVER_ERROR);
    let statement = Statement::from_string(db.get_database_backend(), "SELECT 1 AS one");
    let row = db.query_one_raw(statement).await.map_err(failed)?;
    let one: Option<i32> = row.map(|row| row.try_get_by_index(0)).transpose().map_err(failed)?;
    Ok(one.unwrap_or_default().to_string())
}
