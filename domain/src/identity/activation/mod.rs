//! Account activation: an invited portal user sets the first password, or registers the first passkey, through a
//! mailed link.

mod accept;
mod activate;
mod activation_email;
mod invitation_email;
pub(crate) mod link_email;
mod reminder_email;
mod resend;
mod template_values;

pub use accept::accept;
pub use activate::{ActivateInput, FirstCredential, activate, start_passkey};
pub use resend::resend;
