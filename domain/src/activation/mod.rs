//! Setting up an account by the link of an invitation.

mod activate;
pub(crate) mod activation_email;
mod request_new_link;
mod resend;

pub use activate::{ActivateInput, activate};
pub use request_new_link::request_new_link;
pub use resend::resend;
