//! Second factors: whether a sign-in needs one, the challenge of a sign-in that lacks it, attempts to prove one, and
//! turning second factors on and off.
//!
//! A sign-in whose first factor was right gets a challenge and no session. The challenge is a member of the body of the
//! operations for second factors, and no cookie or header, so no other operation can take it for a credential.

mod attempt;
mod challenge;
mod disable;
mod enable;
mod need;
mod recovery_codes;
pub(crate) mod security_notice_email;
mod settings;
mod setup;
mod status;

pub(crate) use attempt::{Attempt, ProvedFactor, Submitted, attempt, end_lockout};
pub use challenge::Challenge;
pub(crate) use challenge::{
    LiveChallenge, MAX_MISSES, NewChallenge, count_attempt, end, find_live, issue, refund_attempt, set_mail_flow,
    set_mail_proved,
};
pub use disable::disable;
pub use enable::enable;
pub(crate) use enable::{record_for_tenants, turn_on, turn_on_by_passkey};
pub(crate) use need::needed;
pub use recovery_codes::replace_recovery_codes;
pub(crate) use security_notice_email::{notify, notify_once_a_day};
pub use settings::MfaSettings;
pub(crate) use setup::issuer;
pub use setup::setup;
pub use status::{MfaStatus, status};
