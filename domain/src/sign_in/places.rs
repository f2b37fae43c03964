//! Where a person may act: their active memberships of clients that are open.

use portico_entity::{ClientId, PortalUserId, client, membership, tenant};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{app::App, error::Result};

/// A client, and the person's membership there.
#[derive(Clone, Debug)]
pub struct Place {
    /// What the person is there.
    pub membership: membership::Model,
    /// The client.
    pub client: client::Model,
}

/// A person's places.
pub(super) struct Places {
    /// The clients that are open.
    pub(super) open: Vec<Place>,
    /// Whether there are others: archived, or of a suspended tenant.
    pub(super) some_shut: bool,
}

/// The person's places, or the one at `wanted`.
pub(super) async fn places(app: &App, user: PortalUserId, wanted: Option<ClientId>) -> Result<Places> {
    let mut query = membership::Entity::find()
        .find_also_related(client::Entity)
        .find_also(client::Entity, tenant::Entity)
        .filter(membership::Column::PortalUserId.eq(user))
        .filter(membership::Column::Status.eq(membership::Status::Active));
    if let Some(wanted) = wanted {
        query = query.filter(membership::Column::ClientId.eq(wanted));
    }
    let mut places = Places { open: Vec::new(), some_shut: false };
    for (membership, client, tenant) in query.order_by_asc(client::Column::Name).all(app.db()).await? {
        let (Some(client), Some(tenant)) = (client, tenant) else { continue };
        if client.status == client::Status::Archived || tenant.status == tenant::Status::Suspended {
            places.some_shut = true;
        } else {
            places.open.push(Place { membership, client });
        }
    }
    Ok(places)
}
