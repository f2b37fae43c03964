//! A user of either realm with a live session.

use std::ops::Deref;

use portico_entity::{UserId, session, tenant};

use super::{Actor, PortalUser, RequestContext, StaffUser, User, tenant_caller::check_fresh};
use crate::platform::{
    clock::Time,
    error::{Error, Result},
};

/// A user of either realm with a live session. For use cases that are the same in both realms.
#[derive(Clone, Debug)]
pub struct SessionUser {
    /// Where the request came from.
    pub context: RequestContext,
    /// The user who owns the session.
    pub user: User,
    /// The session of the request.
    pub session: session::Model,
    /// The tenant of the client that a portal user acts for, or of a staff user.
    pub tenant: tenant::Model,
    /// The user as the actor of audit events.
    actor: Actor,
    /// When the tenant requires a second factor; `None` if it does not.
    pub mfa_due_at: Option<Time>,
}

/// A caller who may have to set up a second factor first.
///
/// The authentication returns this type, so a use case that takes `T` cannot run before [`check`](Self::check). The
/// operations by which a user sets up a second factor, and those that show and end the session, take `Unenrolled<T>`.
#[derive(Clone, Debug)]
pub struct Unenrolled<T>(T);

/// A [`SessionUser`] whose session is fresh. [`SessionUser::fresh`] makes it, and nothing else does.
#[derive(Clone, Debug)]
pub struct FreshSessionUser(SessionUser);

/// A caller whose tenant may require a second factor.
pub trait MayOweMfa {
    /// Returns when the caller must have a second factor; `None` if the tenant requires none, or if the caller has one.
    ///
    /// # Errors
    /// `internal` if the sign-in policy of the tenant cannot be read.
    fn mfa_owed_at(&self) -> Result<Option<Time>>;
}

impl<T: MayOweMfa> Unenrolled<T> {
    /// Wraps a caller.
    pub(crate) const fn new(caller: T) -> Self {
        Self(caller)
    }

    /// Returns the caller if no second factor is due at the time `now`.
    ///
    /// # Errors
    /// - `mfa_required`: the tenant requires a second factor, the user has none, and the grace period is over.
    /// - `internal`: the sign-in policy of the tenant cannot be read.
    pub fn check(self, now: Time) -> Result<T> {
        match self.0.mfa_owed_at()? {
            Some(due_at) if due_at <= now => Err(Error::MFA_REQUIRED),
            _ => Ok(self.0),
        }
    }

    /// Returns the caller without the check.
    pub fn unchecked(self) -> T {
        self.0
    }
}

impl<T> Deref for Unenrolled<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl SessionUser {
    /// Returns the id of the user.
    pub const fn id(&self) -> UserId {
        self.user.id()
    }

    /// Returns the caller as one who has proved their identity within the last ten minutes before `now`.
    ///
    /// # Errors
    /// `step_up_required` if the user has not.
    pub fn fresh(self, now: Time) -> Result<FreshSessionUser> {
        check_fresh(&self.session, self.user.mfa_enabled_at(), now)?;
        Ok(FreshSessionUser(self))
    }

    /// Returns the caller for a portal user.
    pub fn of_portal_user(caller: PortalUser) -> Self {
        let (actor, mfa_due_at) = (Actor::from(&caller), caller.mfa_due_at());
        let PortalUser { context, user, session, tenant, .. } = caller;
        Self { context, user: User::Portal(user), session, tenant, actor, mfa_due_at }
    }

    /// Returns the caller for a staff user.
    ///
    /// # Errors
    /// `internal` if the sign-in policy of the tenant cannot be read.
    pub fn of_staff_user(caller: StaffUser) -> Result<Self> {
        let (actor, mfa_due_at) = (Actor::from(&caller), caller.mfa_due_at()?);
        let StaffUser { context, user, session, tenant } = caller;
        Ok(Self { context, user: User::Staff(user), session, tenant, actor, mfa_due_at })
    }
}

impl MayOweMfa for SessionUser {
    fn mfa_owed_at(&self) -> Result<Option<Time>> {
        Ok(owed(self.mfa_due_at, self.user.mfa_enabled_at(), &self.session))
    }
}

impl MayOweMfa for PortalUser {
    fn mfa_owed_at(&self) -> Result<Option<Time>> {
        Ok(owed(self.mfa_due_at(), self.user.mfa_enabled_at, &self.session))
    }
}

impl MayOweMfa for StaffUser {
    fn mfa_owed_at(&self) -> Result<Option<Time>> {
        Ok(owed(self.mfa_due_at()?, self.user.mfa_enabled_at, &self.session))
    }
}

/// A session in which a second factor was proved owes none, also if the user has not turned second factors on: a
/// passkey proves two factors.
fn owed(due_at: Option<Time>, enabled_at: Option<Time>, session: &session::Model) -> Option<Time> {
    due_at.filter(|_| enabled_at.is_none() && session.mfa_at.is_none())
}

impl Deref for FreshSessionUser {
    type Target = SessionUser;

    fn deref(&self) -> &SessionUser {
        &self.0
    }
}

impl From<&SessionUser> for Actor {
    fn from(caller: &SessionUser) -> Self {
        caller.actor.clone()
    }
}

impl From<&FreshSessionUser> for Actor {
    fn from(caller: &FreshSessionUser) -> Self {
        caller.actor.clone()
    }
}
