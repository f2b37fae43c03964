//! Creating a client.

use portico_entity::{
    ClientId,
    client::{self, Status},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::ExternalRef;
use crate::{
    platform::{
        actor::{Authorized, access::ClientsEdit},
        app::App,
        audit,
        error::{Error, Result},
        name::Name,
        search,
    },
    tenancy::search as entries,
};

/// The input of [`create`].
pub struct NewClient {
    /// The client's name.
    pub name: Name,
    /// The tenant's own reference for the client, if there is one.
    pub external_ref: Option<ExternalRef>,
}

/// Creates an active client of the caller's tenant and returns its row.
///
/// # Errors
/// - `conflict`: the tenant already has a client with this `external_ref`.
/// - `unavailable` or `internal`: a database query failed.
pub async fn create(app: &App, caller: &Authorized<ClientsEdit>, new: NewClient) -> Result<client::Model> {
    let mut tx = app.begin().await?;
    let row = client::ActiveModel {
        id: Set(ClientId(app.new_id())),
        tenant_id: Set(caller.tenant.id),
        name: Set(new.name.to_string()),
        external_ref: Set(new.external_ref.map(|reference| reference.0)),
        status: Set(Status::Active),
        created_at: Set(app.now()),
        is_search_indexed: Set(true),
    };
    let client = row.insert(tx.db()).await.map_err(|error| Error::unique(error, super::REFERENCE_IN_USE))?;
    search::index(&mut tx, [entries::client(&client)]).await?;
    let event =
        audit::Event::new("client.created").target("client", client.id.0).tenant(caller.tenant.id).client(client.id);
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await?;
    Ok(client)
}
