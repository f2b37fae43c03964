//! The id types: one type for each table, so that the compiler rejects the id of another table.

use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, DeriveValueType, Serialize, Deserialize)]
        pub struct $name(pub Uuid);

        // SeaORM requires this trait of every primary key. Only integer keys can be converted from a `u64`.
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
    /// The id of an [API token](crate::api_token). It is not the secret.
    ApiTokenId,
    /// The id of an [anchor of the audit log](crate::audit_anchor).
    AuditAnchorId,
    /// The id of an [audit event](crate::audit_event).
    AuditEventId,
    /// The id of a [link token](crate::link_token). It is not the secret of the link.
    LinkTokenId,
    /// The id of a [login of the command line](crate::cli_login). It is not the code.
    CliLoginId,
    /// The id of a [ceremony](crate::ceremony) of passkeys. It is not the secret.
    CeremonyId,
    /// The id of a [client](crate::client).
    ClientId,
    /// The id of a [code flow](crate::code_flow).
    CodeFlowId,
    /// The id of a [mail](crate::email).
    EmailId,
    /// The id of an [invitation](crate::invitation).
    InvitationId,
    /// The id of a [job](crate::background_job).
    JobId,
    /// The id of a [membership](crate::membership).
    MembershipId,
    /// The id of a [passkey](crate::passkey). It is not the id of the credential.
    PasskeyId,
    /// The id of a [portal user](crate::portal_user).
    PortalUserId,
    /// The id of a [recovery code](crate::recovery_code). It is not the code.
    RecoveryCodeId,
    /// The id of a [set of recovery codes](crate::recovery_set).
    RecoverySetId,
    /// The id of a [service account](crate::service_account).
    ServiceAccountId,
    /// The id of a [session](crate::session), the `sid` claim of its access tokens.
    SessionId,
    /// The id of a [challenge of a sign-in](crate::sign_in_challenge). It is not the secret.
    SignInChallengeId,
    /// The id of a [signing key](crate::signing_key), the `kid` of its tokens.
    SigningKeyId,
    /// The id of a [staff user](crate::staff_user).
    StaffUserId,
    /// The id of a [tenant](crate::tenant).
    TenantId,
    /// The id of a [secret of one-time passwords](crate::totp_secret).
    TotpSecretId,
    /// The id of a [trusted device](crate::trusted_device). It is not the value of the cookie.
    TrustedDeviceId,
}
