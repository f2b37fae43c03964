//! A user of either realm.

use portico_entity::{UserId, portal_user, staff_user};

use super::{Actor, RequestContext};
use crate::platform::{clock::Time, email_address::EmailAddress, error::Result};

/// The row of a user of either realm. For use cases that are the same in both realms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// A portal user.
    Portal(portal_user::Model),
    /// A staff user.
    Staff(staff_user::Model),
}

/// The two numbers of a user that decide whether what was issued earlier is still valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Raised by every change of the password.
    pub credential: i32,
    /// Raised by every change of the second factors.
    pub factors: i32,
}

impl User {
    /// Returns the id.
    pub const fn id(&self) -> UserId {
        match self {
            Self::Portal(user) => UserId::Portal(user.id),
            Self::Staff(user) => UserId::Staff(user.id),
        }
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        match self {
            Self::Portal(user) => &user.name,
            Self::Staff(user) => &user.name,
        }
    }

    /// Returns the email address.
    ///
    /// # Errors
    /// `internal` if the stored address is not valid.
    pub fn email(&self) -> Result<EmailAddress> {
        match self {
            Self::Portal(user) => EmailAddress::stored(&user.email),
            Self::Staff(user) => EmailAddress::stored(&user.email),
        }
    }

    /// Returns the versions.
    pub const fn versions(&self) -> Versions {
        match self {
            Self::Portal(user) => Versions { credential: user.credential_version, factors: user.factors_version },
            Self::Staff(user) => Versions { credential: user.credential_version, factors: user.factors_version },
        }
    }

    /// Returns when the user turned second factors on; `None` if they are off.
    pub const fn mfa_enabled_at(&self) -> Option<Time> {
        match self {
            Self::Portal(user) => user.mfa_enabled_at,
            Self::Staff(user) => user.mfa_enabled_at,
        }
    }

    /// Returns whether the user is enabled.
    pub const fn is_enabled(&self) -> bool {
        match self {
            Self::Portal(user) => user.disabled_at.is_none(),
            Self::Staff(user) => user.disabled_at.is_none(),
        }
    }

    /// Returns the user as the actor of audit events.
    pub fn actor(&self, context: &RequestContext) -> Actor {
        match self {
            Self::Portal(user) => Actor::portal_user(user, context),
            Self::Staff(user) => Actor::staff_user(user, context),
        }
    }
}
