//! Invitations: staff users invite people to a client, and the invited people become members of it.

pub(crate) mod access_notice_email;
mod expire;
mod invite;
mod join;
mod resend;
mod settings;

pub use expire::ExpireInvitations;
pub use invite::{InviteInput, SentInvitation, invite};
pub(crate) use join::join;
pub use resend::resend;
pub use settings::InvitationSettings;
