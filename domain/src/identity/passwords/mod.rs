//! Passwords: the policy, hashing, reset and change.

mod change;
pub(crate) mod changed_email;
mod check;
mod cost;
mod forgot;
mod hashing;
pub(crate) mod locked_email;
mod policy;
mod reset;
pub(crate) mod reset_email;
mod send_reset;
mod set_password;
mod settings;
mod verify_password;

pub use change::change;
pub use check::{check_for_link, check_for_user};
pub(crate) use cost::Cost;
pub use cost::{CostCache, count_by_cost};
pub use forgot::forgot;
pub use hashing::Hasher;
pub(crate) use policy::check as check_policy;
pub use policy::{Judgement, PasswordJudge, PolicyProblem};
pub use reset::reset;
pub use send_reset::send_reset;
pub(crate) use set_password::{Expected, set_password};
pub use settings::PasswordSettings;
pub(crate) use verify_password::{PasswordAttempt, VerifiedPassword, reset_failures, verify_password};
