//! The rate limits that are counted in the database.

use super::{Quota, RateLimitSettings};

/// The name and the quota of a rate limit, as an error and an HTTP header show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The name in snake_case, for example `sign_in_account`.
    pub name: &'static str,
    /// The number of attempts that the limit allows.
    pub quota: Quota,
}

/// A rate limit that all processes share, counted in the table `rate_limits`.
///
/// The API has further rate limits that each process counts in memory. They are not listed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Wrong passwords per email address and network, or per email address and known device.
    SignInAccount,
    /// Wrong passwords per network.
    SignInNetwork,
    /// Requests for recovery mail per mailbox and known device.
    RecoveryAccount,
    /// Requests for recovery mail per network.
    RecoveryNetwork,
    /// Requests for staff codes per mailbox and known device.
    SendCode,
    /// Requests for staff codes per network.
    SendCodeNetwork,
    /// Wrong staff codes per email address.
    CodeMisses,
    /// Invitations and resends per tenant and recipient.
    InviteRecipient,
    /// Invitations and resends per staff user.
    InviteActor,
}

impl Limit {
    /// Returns the name in snake_case. It is part of the counters' keys, so it must not change.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SignInAccount => "sign_in_account",
            Self::SignInNetwork => "sign_in_network",
            Self::RecoveryAccount => "recovery_account",
            Self::RecoveryNetwork => "recovery_network",
            Self::SendCode => "send_code",
            Self::SendCodeNetwork => "send_code_network",
            Self::CodeMisses => "code_misses",
            Self::InviteRecipient => "invite_recipient",
            Self::InviteActor => "invite_actor",
        }
    }

    /// Returns the quota from the settings, or `None` when the settings turn the limit off.
    pub(super) fn quota(self, settings: &RateLimitSettings) -> Option<Quota> {
        match self {
            Self::SignInAccount => settings.sign_in_account,
            Self::SignInNetwork => settings.sign_in_network,
            Self::RecoveryAccount => settings.recovery_account,
            Self::RecoveryNetwork => settings.recovery_network,
            Self::SendCode => settings.send_code,
            Self::SendCodeNetwork => settings.send_code_network,
            Self::CodeMisses => settings.code_misses,
            Self::InviteRecipient => settings.invite_recipient,
            Self::InviteActor => settings.invite_actor,
        }
    }
}
