//! The callers who act for a tenant.

use std::{marker::PhantomData, ops::Deref};

use chrono::TimeDelta;
use portico_entity::{StaffUserId, session, staff_user, tenant};

use super::{Access, ApiToken, Permission, RequestContext, TokenOwner};
use crate::platform::{
    clock::{MAX_CLOCK_ERROR, Time},
    error::{Error, Result},
    sign_in_policy::SignInPolicy,
};

/// How long a session is fresh after its user has proved their identity.
const FRESH_PERIOD: TimeDelta = TimeDelta::minutes(10);

/// A staff user with a live session.
#[derive(Clone, Debug)]
pub struct StaffUser {
    /// Where the request came from.
    pub context: RequestContext,
    /// The user.
    pub user: staff_user::Model,
    /// The session.
    pub session: session::Model,
    /// The tenant. Objects of other tenants do not exist for this caller.
    pub tenant: tenant::Model,
}

/// A caller of `/api/v1`, who acts for a tenant.
///
/// Use cases take [`Authorized`], which proves what the caller may do.
#[derive(Clone, Debug)]
pub struct TenantCaller {
    /// Where the request came from.
    pub context: RequestContext,
    /// The tenant. Objects of other tenants do not exist for this caller.
    pub tenant: tenant::Model,
    /// The staff user or program that calls.
    pub principal: Principal,
}

/// The user or program that a [`TenantCaller`] is.
#[derive(Clone, Debug)]
pub enum Principal {
    /// A staff user with a live session.
    StaffUser {
        /// The user.
        user: staff_user::Model,
        /// The session.
        session: session::Model,
    },
    /// A program with a live API token of a staff user or of a service account.
    ApiToken(ApiToken),
}

/// A staff user whose session is fresh. [`StaffUser::fresh`] makes it, and nothing else does.
#[derive(Clone, Debug)]
pub struct FreshStaffUser(StaffUser);

impl StaffUser {
    /// Returns the caller as one who has proved their identity within the last ten minutes before `now`.
    ///
    /// # Errors
    /// `step_up_required` if the user has not.
    pub fn fresh(self, now: Time) -> Result<FreshStaffUser> {
        check_fresh(&self.session, self.user.mfa_enabled_at, now)?;
        Ok(FreshStaffUser(self))
    }

    /// Returns when the staff user must have a second factor; `None` if the tenant requires none.
    ///
    /// # Errors
    /// `internal` if the sign-in policy of the tenant cannot be read.
    pub fn mfa_due_at(&self) -> Result<Option<Time>> {
        Ok(SignInPolicy::of(&self.tenant)?.staff_mfa_due_at(&self.user))
    }
}

impl Deref for FreshStaffUser {
    type Target = StaffUser;

    fn deref(&self) -> &StaffUser {
        &self.0
    }
}

impl From<StaffUser> for TenantCaller {
    fn from(StaffUser { context, user, session, tenant }: StaffUser) -> Self {
        Self { context, tenant, principal: Principal::StaffUser { user, session } }
    }
}

impl TenantCaller {
    /// Returns the caller as one who has what `A` asks for at the time `now`.
    ///
    /// # Errors
    /// - `forbidden`: the caller does not have the permission, or it needs a fresh session and the caller is a program.
    /// - `step_up_required`: the permission needs a fresh session, and the user has proved their identity more than ten
    ///   minutes ago.
    pub fn authorize<A: Access>(self, now: Time) -> Result<Authorized<A>> {
        if !self.has(A::PERMISSION) {
            return Err(Error::FORBIDDEN);
        }
        if A::IS_FRESH {
            self.check_fresh(now)?;
        }
        Ok(Authorized { caller: self, access: PhantomData })
    }

    /// Returns whether the caller has the permission.
    pub fn has(&self, permission: Permission) -> bool {
        match &self.principal {
            Principal::StaffUser { user, .. } => permission.is_given_by(user.role),
            Principal::ApiToken(token) => token.has(permission),
        }
    }

    /// Checks that the user has proved their identity within the last ten minutes before `now`.
    ///
    /// # Errors
    /// - `step_up_required` if the user has not.
    /// - `forbidden` for a program, which cannot prove an identity.
    pub fn check_fresh(&self, now: Time) -> Result<()> {
        match &self.principal {
            Principal::StaffUser { user, session } => check_fresh(session, user.mfa_enabled_at, now),
            Principal::ApiToken(_) => Err(Error::FORBIDDEN),
        }
    }

    /// Returns the id under which rate limits count what this caller does. All tokens of one owner count together, and
    /// with their owner.
    pub fn rate_limit_subject(&self) -> String {
        match &self.principal {
            Principal::StaffUser { user, .. } => user.id.to_string(),
            Principal::ApiToken(token) => match &token.owner {
                TokenOwner::StaffUser(user) => user.id.to_string(),
                TokenOwner::ServiceAccount(account) => account.id.to_string(),
            },
        }
    }

    /// Returns the staff user who calls, or whose personal access token the program has; `None` for the token of a
    /// service account.
    pub fn staff_user_id(&self) -> Option<StaffUserId> {
        match &self.principal {
            Principal::StaffUser { user, .. } => Some(user.id),
            Principal::ApiToken(token) => match &token.owner {
                TokenOwner::StaffUser(user) => Some(user.id),
                TokenOwner::ServiceAccount(_) => None,
            },
        }
    }
}

/// Checks that the owner of `session` has proved their identity within the last ten minutes before `now`, and if second
/// factors are on (`mfa_enabled_at`), a second factor too.
///
/// # Errors
/// `step_up_required` if the owner has not.
pub(crate) fn check_fresh(session: &session::Model, mfa_enabled_at: Option<Time>, now: Time) -> Result<()> {
    // A time too far ahead was recorded by a wrong clock. It must not keep a session fresh.
    let is_recent = |time: Time| (-MAX_CLOCK_ERROR..FRESH_PERIOD).contains(&(now - time));
    let is_fresh = is_recent(session.auth_time) && (mfa_enabled_at.is_none() || session.mfa_at.is_some_and(is_recent));
    if is_fresh { Ok(()) } else { Err(Error::STEP_UP_REQUIRED) }
}

/// A [`TenantCaller`] who has what `A` asks for. [`TenantCaller::authorize`] makes it, and nothing else does.
#[derive(Clone, Debug)]
pub struct Authorized<A> {
    caller: TenantCaller,
    access: PhantomData<A>,
}

impl<A> Deref for Authorized<A> {
    type Target = TenantCaller;

    fn deref(&self) -> &TenantCaller {
        &self.caller
    }
}
