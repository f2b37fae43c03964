//! Setting up an account by the link of an invitation.

mod activate;
pub(crate) mod activation_email;
mod resend;

pub use activate::{ActivateInput, activate};
pub use resend::resend;
