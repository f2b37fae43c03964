//! A minimal server for comparison with `GET session`.
//!
//! It uses the same libraries as Portico and as many database connections, and answers every request with the result of
//! `SELECT 1`. No HTTP server that queries Postgres with these libraries can be faster.

use std::io::Write;

use anyhow::Result;
use poem::{EndpointExt, Route, Server, handler, http::StatusCode, listener::TcpAcceptor, web::Data};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tokio::net::TcpListener;

use crate::postgres;

/// Serves `GET /` on a free port of 127.0.0.1 until the process is killed. Prints `serving HOST:PORT` to stderr.
///
/// `database` is the URL of a Postgres database.
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
