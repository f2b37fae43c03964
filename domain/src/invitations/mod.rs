//! Invitations: staff users invite people to a client, and the invited people become members of it.

mod accept;
pub(crate) mod access_notice_email;
mod expire;
pub(crate) mod invitation_email;
mod invite;
mod join;
mod resend;

pub use accept::accept;
pub use expire::ExpireInvitations;
pub use invite::{InviteInput, SentInvitation, invite};
pub(crate) use join::join;
pub use resend::resend;
