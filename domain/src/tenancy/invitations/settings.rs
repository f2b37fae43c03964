//! The setting of invitations.

use std::time::Duration;

use crate::platform::{
    env_reader::{EnvReader, duration},
    settings::Section,
};

/// How long an invitation and its links are valid.
#[derive(Clone, Debug)]
pub struct InvitationSettings {
    /// `PORTICO_ACTIVATION_TTL`: how long an invitation and its links are valid, 72 hours by default.
    pub activation_ttl: Duration,
}

impl Section for InvitationSettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "How long an invitation and its links are valid.";
        let activation_ttl = env.read("PORTICO_ACTIVATION_TTL", "72h", description, duration);
        Some(Self { activation_ttl: activation_ttl? })
    }
}
