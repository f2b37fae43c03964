//! The realms, and the id of a user of either realm.

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{PortalUserId, StaffUserId};

/// One of two separate sets of users. Each has its own tables, cookies and token audience, and a token of one realm is
/// not valid in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Realm {
    /// Portal users: the persons at the clients.
    Portal,
    /// Staff users of the tenants.
    Staff,
}

impl Realm {
    /// Both realms.
    pub const ALL: [Self; 2] = [Self::Portal, Self::Staff];
}

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

    /// Returns the realm.
    pub const fn realm(self) -> Realm {
        match self {
            Self::Portal(_) => Realm::Portal,
            Self::Staff(_) => Realm::Staff,
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
