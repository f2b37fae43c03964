//! The callers who act for a tenant.

use std::{marker::PhantomData, ops::Deref};

use chrono::TimeDelta;
use portico_entity::{StaffUserId, session, staff_user, tenant};

use super::{Access, ApiToken, Permission, RequestContext, TokenOwner};
use crate::platform::{
    clock::{MAX_CLOCK_ERROR, Time},
    error::{Error, Result},
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
        check_fresh(&self.session, now)?;
        Ok(FreshStaffUser(self))
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
            Principal::StaffUser { session, .. } => check_fresh(session, now),
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

/// Checks that the owner of `session` has proved their identity within the last ten minutes before `now`.
///
/// # Errors
/// `step_up_required` if the owner has not.
pub(crate) fn check_fresh(session: &session::Model, now: Time) -> Result<()> {
    // A time too far ahead was recorded by a wrong clock. It must not keep a session fresh.
    let is_fresh = (-MAX_CLOCK_ERROR..FRESH_PERIOD).contains(&(now - session.auth_time));
    if is_fresh { Ok(()) } else { Err(Error::Forbidden("step_up_required")) }
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
