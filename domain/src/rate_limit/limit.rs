//! What is limited.

use super::{Quota, RateLimitSettings};

/// A limit as an answer may name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name, in snake_case.
    pub name: &'static str,
    /// How much it allows.
    pub quota: Quota,
}

/// What is limited in the database. Limits of one process alone are the API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Wrong passwords for one address from one network, or from one known device.
    SignInAccount,
    /// Wrong passwords from one network.
    SignInNetwork,
    /// Recovery mails asked for one mailbox.
    RecoveryAccount,
    /// Recovery mails asked for from one network.
    RecoveryNetwork,
    /// Codes asked for one mailbox, or for it from one known device.
    SendCode,
    /// Codes asked for from one network.
    SendCodeNetwork,
    /// Wrong codes for one address.
    CodeMisses,
    /// Invitations of one recipient by one tenant.
    InviteRecipient,
    /// Invitations by one actor.
    InviteActor,
}

impl Limit {
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
