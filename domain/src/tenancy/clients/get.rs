//! Reading one client.

use portico_entity::{ClientId, client};

use crate::platform::{
    actor::{Permission, StaffUser},
    app::App,
    error::Result,
};

/// Returns the client `id` of the caller's tenant.
///
/// # Errors
/// - `forbidden`: the caller's role does not give [`Permission::ClientsRead`].
/// - `not_found`: the caller's tenant has no client with this id.
/// - `unavailable` or `internal`: a database query failed.
pub async fn get(app: &App, caller: &StaffUser, id: ClientId) -> Result<client::Model> {
    caller.require(Permission::ClientsRead)?;
    super::of(caller.tenant.id).find(app.db(), id).await
}
