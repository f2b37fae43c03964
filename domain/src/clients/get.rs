//! Seeing one client.

use portico_entity::{ClientId, client};

use crate::{
    actor::{Permission, Staff},
    app::App,
    error::Result,
};

/// One client of the caller's tenant.
///
/// # Errors
/// `forbidden`; `not_found`.
pub async fn get(app: &App, by: &Staff, id: ClientId) -> Result<client::Model> {
    by.may(Permission::ClientsRead)?;
    super::of(by.tenant.id).find(app.db(), id).await
}
