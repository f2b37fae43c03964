//! What the search index holds of clients, memberships and invitations.

mod index_missing;

pub use index_missing::{IndexSearchWords, ReindexClients};

use portico_entity::{TenantId, client, invitation, membership, search_word::Subject};

use crate::platform::search::Entry;

/// Returns the entry of a client: each word of its name, and its external reference.
pub(crate) fn client(client: &client::Model) -> Entry {
    Entry {
        tenant: client.tenant_id,
        subject: Subject::Client,
        id: client.id.0,
        names: vec![client.name.clone()],
        address: client.external_ref.clone(),
    }
}

/// Returns the entry of a membership: each word of the name that the tenant has entered, and the address.
pub(crate) fn membership(tenant: TenantId, membership: &membership::Model, email: &str) -> Entry {
    Entry {
        tenant,
        subject: Subject::Membership,
        id: membership.id.0,
        names: vec![membership.display_name.clone()],
        address: Some(email.to_owned()),
    }
}

/// Returns the entry of an invitation: each word of the name that the tenant has entered, and the address.
pub(crate) fn invitation(tenant: TenantId, invitation: &invitation::Model) -> Entry {
    Entry {
        tenant,
        subject: Subject::Invitation,
        id: invitation.id.0,
        names: vec![invitation.name.clone()],
        address: Some(invitation.email.clone()),
    }
}
