//! Seeing one client.

use portico_entity::{ClientId, client};

use crate::{
    actor::{Permission, StaffUser},
    app::App,
    error::Result,
};

/// One client of the caller's tenant.
///
/// # Errors
/// `forbidden`; `not_found`.
pub async fn get(app: &App, caller: &StaffUser, id: ClientId) -> Result<client::Model> {
    caller.may(Permission::ClientsRead)?;
    super::of(caller.tenant.id).find(app.db(), id).await
}
