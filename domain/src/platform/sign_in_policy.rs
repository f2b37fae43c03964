//! The sign-in policy of a tenant: by which methods its portal users may sign in, and who must have a second factor.
//!
//! It is in the platform because each request checks it. `tenancy::sign_in_policy` shows and changes it.

use chrono::TimeDelta;
use portico_entity::{Realm, membership, session::Method, staff_user, tenant};
use serde::{Deserialize, Serialize};

use crate::platform::{
    clock::Time,
    error::{Error, Result},
};

/// The sign-in policy of a tenant. `tenants.sign_in_policy` stores it as JSON, in which absent members have their
/// defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignInPolicy {
    /// The methods by which portal users may sign in.
    pub methods: Methods,
    /// Who must have a second factor.
    pub mfa: MfaPolicy,
    /// For how many days a portal user can trust a device. 0 turns trusted devices off.
    pub trusted_device_days: u16,
}

/// The methods by which portal users may sign in. At least one is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Methods {
    /// With a password.
    pub password: bool,
    /// With a mailed code.
    pub code: bool,
    /// With a passkey.
    pub passkey: bool,
    /// With an account at an identity provider.
    pub sso: bool,
}

/// Who must have a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MfaPolicy {
    /// The portal users who must.
    pub portal: MfaScope,
    /// The staff users who must.
    pub staff: MfaScope,
    /// How many days a user has to set up a second factor.
    pub grace_days: u16,
    /// When `portal` last began to include more users. The grace period starts then.
    pub portal_since: Option<Time>,
    /// When `staff` last began to include more users. The grace period starts then.
    pub staff_since: Option<Time>,
}

/// The users of one realm who must have a second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MfaScope {
    /// No user.
    #[default]
    Off,
    /// The administrators: client admins in the portal, owners and admins among the staff users.
    Admins,
    /// Every user.
    All,
}

impl Default for SignInPolicy {
    fn default() -> Self {
        Self { methods: Methods::default(), mfa: MfaPolicy::default(), trusted_device_days: 30 }
    }
}

impl Default for Methods {
    fn default() -> Self {
        Self { password: true, code: false, passkey: true, sso: true }
    }
}

impl Default for MfaPolicy {
    fn default() -> Self {
        Self { portal: MfaScope::Off, staff: MfaScope::Off, grace_days: 7, portal_since: None, staff_since: None }
    }
}

impl Methods {
    /// Returns whether a portal user may sign in by `method`.
    pub fn allows(self, method: Method) -> bool {
        match method {
            Method::Password => self.password,
            Method::Code => self.code,
            Method::Passkey => self.passkey,
        }
    }
}

impl SignInPolicy {
    /// Returns the policy of `tenant`.
    ///
    /// # Errors
    /// `internal` if the stored policy cannot be read. A default in its place could let in a user that the policy
    /// keeps out.
    pub fn of(tenant: &tenant::Model) -> Result<Self> {
        let Some(stored) = &tenant.sign_in_policy else { return Ok(Self::default()) };
        Self::deserialize(stored)
            .map_err(|error| Error::Internal(format!("the sign-in policy of the tenant {}: {error}", tenant.id)))
    }

    /// Returns when the portal user of `membership` must have a second factor, or `None` if the tenant requires none.
    pub fn portal_mfa_due_at(&self, membership: &membership::Model) -> Option<Time> {
        self.portal_mfa_due_at_for(membership.role == membership::Role::Admin, membership.invited_at)
    }

    /// Returns when a portal user who was added at `added_at`, as a client admin or not, must have a second factor;
    /// `None` if the tenant requires none.
    pub(crate) fn portal_mfa_due_at_for(&self, is_admin: bool, added_at: Time) -> Option<Time> {
        self.due_at(Realm::Portal, is_admin, added_at)
    }

    /// Returns when the staff user must have a second factor, or `None` if the tenant requires none.
    pub fn staff_mfa_due_at(&self, user: &staff_user::Model) -> Option<Time> {
        let is_admin = matches!(user.role, staff_user::Role::Owner | staff_user::Role::Admin);
        self.due_at(Realm::Staff, is_admin, user.created_at)
    }

    /// The grace period starts when the requirement was set, or for a newer user when the user was added.
    fn due_at(&self, realm: Realm, is_admin: bool, added_at: Time) -> Option<Time> {
        let (scope, since) = match realm {
            Realm::Portal => (self.mfa.portal, self.mfa.portal_since),
            Realm::Staff => (self.mfa.staff, self.mfa.staff_since),
        };
        let is_required = match scope {
            MfaScope::Off => false,
            MfaScope::Admins => is_admin,
            MfaScope::All => true,
        };
        let start = since.map_or(added_at, |since| since.max(added_at));
        is_required.then(|| start + TimeDelta::days(self.mfa.grace_days.into()))
    }
}
