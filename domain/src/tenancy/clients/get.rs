//! Reading one client.

use portico_entity::{ClientId, client};

use crate::platform::{
    actor::{Authorized, access::ClientsRead},
    app::App,
    error::Result,
};

/// Returns the client `id` of the caller's tenant.
///
/// # Errors
/// - `not_found`: the caller's tenant has no client with this id.
/// - `unavailable` or `internal`: a database query failed.
pub async fn get(app: &App, caller: &Authorized<ClientsRead>, id: ClientId) -> Result<client::Model> {
    super::of(caller.tenant.id).find(app.db(), id).await
}
