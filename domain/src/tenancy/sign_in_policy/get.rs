//! Reading the sign-in policy of the caller's tenant.

use crate::platform::{
    actor::{Authorized, access::PolicyRead},
    error::Result,
    sign_in_policy::SignInPolicy,
};

/// Returns the sign-in policy of the caller's tenant.
///
/// # Errors
/// `internal` if the stored policy cannot be read.
pub fn get(caller: &Authorized<PolicyRead>) -> Result<SignInPolicy> {
    SignInPolicy::of(&caller.tenant)
}
