//! The table of all rate limits. A new limit is one line here.

use crate::platform::rate_limit::{Limit, Scope};

macro_rules! limits {
    ($($constant:ident: $name:literal, $setting:literal, $default:literal $(or $development:literal)?, $scope:ident, $description:literal;)*) => {
        $(
            #[doc = $description]
            pub const $constant: Limit = Limit {
                name: $name,
                setting: $setting,
                default: $default,
                development: [$($development,)? $default][0],
                scope: Scope::$scope,
                description: $description,
            };
        )*

        /// Every rate limit, in the order of the table in `docs/settings.md`.
        pub const ALL: &[Limit] = &[$($constant),*];
    };
}

// Name in responses and metrics, setting, default (or the default in development), scope, description.
limits! {
    REQUESTS: "requests", "PORTICO_LIMIT_REQUESTS", "600/1m", Process, "Requests, per session, or per network if the request has no session; per process. The brand is not counted.";
    SIGN_IN_RATE: "sign_in_rate", "PORTICO_LIMIT_SIGN_IN_RATE", "60/1m", Process, "Requests with a password, per network and process.";
    CHECK_PASSWORD: "check_password", "PORTICO_LIMIT_CHECK_PASSWORD", "60/1m", Process, "New passwords that are judged before they are set, and as many that are refused when they would be set with a link, per network and process.";
    SIGN_IN_ACCOUNT: "sign_in_account", "PORTICO_LIMIT_SIGN_IN_ACCOUNT", "5/15m", Shared, "Refused sign-ins, per address and network or known device.";
    SIGN_IN_NETWORK: "sign_in_network", "PORTICO_LIMIT_SIGN_IN_NETWORK", "30/15m", Shared, "Refused sign-ins, per network, known devices excepted.";
    RECOVERY_ACCOUNT: "recovery_account", "PORTICO_LIMIT_RECOVERY_ACCOUNT", "3/3h", Shared, "Requests for a reset or activation link, per mailbox or known device.";
    RECOVERY_NETWORK: "recovery_network", "PORTICO_LIMIT_RECOVERY_NETWORK", "20/1h", Shared, "Requests for a reset or activation link, per network, known devices excepted.";
    SEND_CODE: "send_code", "PORTICO_LIMIT_SEND_CODE", "5/1h" or "60/1h", Shared, "Requests for a mailed code, per mailbox or known device. Development: 60/1h.";
    SEND_CODE_NETWORK: "send_code_network", "PORTICO_LIMIT_SEND_CODE_NETWORK", "20/1h" or "60/1h", Shared, "Requests for a mailed code, per network, known devices excepted. Development: 60/1h.";
    CODE_MISSES: "code_misses", "PORTICO_LIMIT_CODE_MISSES", "15/1h", Shared, "Wrong mailed codes, per address or known device.";
    MFA_MISSES: "mfa_misses", "PORTICO_LIMIT_MFA_MISSES", "15/1h", Shared, "Wrong second factors, per person or known device: codes of an authenticator app and recovery codes.";
    TOKEN_NETWORK: "token_network", "PORTICO_LIMIT_TOKEN_NETWORK", "20/1m", Process, "Link tokens and codes that are not valid, per network and process.";
    CEREMONIES: "ceremonies", "PORTICO_LIMIT_CEREMONIES", "60/1m", Process, "Ceremonies of passkeys that are started, per network and process.";
    INVITE_RECIPIENT: "invite_recipient", "PORTICO_LIMIT_INVITE_RECIPIENT", "10/1d", Shared, "Invitations, resends and reset links that staff users send, per tenant and recipient; those of an administrator of a client, per client and recipient.";
    INVITE_ACTOR: "invite_actor", "PORTICO_LIMIT_INVITE_ACTOR", "500/1d", Shared, "Invitations, resends and reset links that staff users send, per staff user.";
    INVITE_COLLEAGUE: "invite_colleague", "PORTICO_LIMIT_INVITE_COLLEAGUE", "20/1d", Shared, "Invitations and resends, per administrator of a client.";
    INVITE_BULK: "invite_bulk", "PORTICO_LIMIT_INVITE_BULK", "5000/1d", Shared, "Rows of bulk invitations that send a mail, per tenant.";
    BRAND_MISSES: "brand_misses", "PORTICO_LIMIT_BRAND_MISSES", "30/1m", Process, "Requests for the brand or a page of a tenant that does not exist, per network and process. Further ones get the neutral brand.";
    BEARER: "bearer", "PORTICO_LIMIT_BEARER", "60/1m", Process, "Requests with a wrong bearer token, per network and process.";
    MFA_LOCKOUT: "mfa_lockout", "PORTICO_LIMIT_MFA_LOCKOUT", "100", Streak, "Consecutive wrong second factors of one person, until codes of the authenticator app are refused. Another factor, or a known device, ends it.";
    SIGN_IN_LOCKOUT: "sign_in_lockout", "PORTICO_LIMIT_SIGN_IN_LOCKOUT", "100", Streak, "Consecutive wrong passwords for one address until the password is locked. A reset unlocks it.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_settings_are_unique_and_correspond() {
        let names: BTreeSet<_> = ALL.iter().map(|limit| limit.name).collect();
        assert_eq!(names.len(), ALL.len());
        for limit in ALL {
            assert_eq!(limit.setting, format!("PORTICO_LIMIT_{}", limit.name.to_uppercase()));
        }
    }
}
