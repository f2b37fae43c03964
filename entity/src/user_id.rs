//! The id of a user of either realm.

use uuid::Uuid;

use crate::{PortalUserId, StaffUserId};

/// The id of a portal user or of a staff user. The variant is the realm.
///
/// A table whose rows belong to users of both realms has the columns `portal_user_id` and `staff_user_id`, of which
/// exactly one is set. A column of each realm can have a foreign key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserId {
    /// A portal user.
    Portal(PortalUserId),
    /// A staff user.
    Staff(StaffUserId),
}

impl UserId {
    /// Returns the user of a row with these columns. Returns `None` if both or none are set, which no version of
    /// Portico writes.
    pub const fn from_columns(portal: Option<PortalUserId>, staff: Option<StaffUserId>) -> Option<Self> {
        match (portal, staff) {
            (Some(user), None) => Some(Self::Portal(user)),
            (None, Some(user)) => Some(Self::Staff(user)),
            (None, None) | (Some(_), Some(_)) => None,
        }
    }

    /// Returns the value of the column `portal_user_id`.
    pub const fn portal(self) -> Option<PortalUserId> {
        match self {
            Self::Portal(user) => Some(user),
            Self::Staff(_) => None,
        }
    }

    /// Returns the value of the column `staff_user_id`.
    pub const fn staff(self) -> Option<StaffUserId> {
        match self {
            Self::Portal(_) => None,
            Self::Staff(user) => Some(user),
        }
    }

    /// Returns the primary key of the row of the user, in the table of the realm.
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Portal(user) => user.0,
            Self::Staff(user) => user.0,
        }
    }
}
