//! Invitations: staff users and administrators of clients invite people to a client, and the invited people become
//! members of it.

pub(crate) mod access_notice_email;
mod bulk;
mod cancel;
mod correct;
mod delete_unused;
mod expire;
mod invite;
mod inviter;
mod join;
mod list;
mod people;
mod remind;
mod resend;
mod retry_until;
mod settings;
mod write;

pub use bulk::{BulkInput, BulkOutcome, BulkRow, BulkRowResult, RowError, invite_all};
pub use cancel::cancel;
pub(crate) use cancel::cancel_as;
pub(crate) use cancel::cancel_created_by;
pub use correct::{Correction, correct};
pub use delete_unused::DeleteUnusedPortalUsers;
pub use expire::ExpireInvitations;
pub(crate) use invite::invite_as;
pub(crate) use invite::limit_invitations;
pub use invite::{InviteInput, SentInvitation, invite};
pub use inviter::Inviter;
pub(crate) use join::join;
pub(crate) use list::list_at_as;
pub use list::{Delivery, InvitationFilter, ListedInvitation, list, list_at};
pub use remind::RemindInvited;
pub(crate) use resend::resend_as;
pub use resend::{resend, resend_to};
pub(crate) use retry_until::retry_until;
pub use settings::InvitationSettings;

use portico_entity::{
    ClientId, InvitationId,
    invitation::{self, Column},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::platform::error::{Error, Result};

/// Loads an invitation to a client, which was loaded through its tenant.
///
/// # Errors
/// - `not_found`: the client has no invitation with this id.
/// - `unavailable` or `internal`: the database query failed.
async fn find(db: &impl ConnectionTrait, client: ClientId, id: InvitationId) -> Result<invitation::Model> {
    let found = invitation::Entity::find().filter(Column::Id.eq(id)).filter(Column::ClientId.eq(client));
    found.one(db).await?.ok_or(Error::NOT_FOUND)
}
