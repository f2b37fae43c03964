//! An id type for each table, so that one table's id cannot be passed for another's.

use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, DeriveValueType, Serialize, Deserialize)]
        pub struct $name(pub Uuid);

        // The trait is asked of every primary key; only integer keys can say yes.
        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    AuditEventId,
    LinkTokenId,
    ClientId,
    CodeFlowId,
    EmailId,
    InvitationId,
    JobId,
    MembershipId,
    PortalUserId,
    SessionId,
    SigningKeyId,
    StaffUserId,
    TenantId,
}
