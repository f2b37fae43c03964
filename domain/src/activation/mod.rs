//! Account activation: an invited portal user sets the first password through a mailed link.

mod activate;
pub(crate) mod activation_email;
mod resend;

pub use activate::{ActivateInput, activate};
pub use resend::resend;
