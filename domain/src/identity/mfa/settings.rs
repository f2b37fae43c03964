//! The setting of second factors.

use std::time::Duration;

use crate::platform::{
    env_reader::{EnvReader, duration},
    settings::Section,
};

/// How long a sign-in waits for its second factor.
#[derive(Clone, Debug)]
pub struct MfaSettings {
    /// `PORTICO_MFA_TTL`: how long a challenge is valid, 5 minutes by default.
    pub challenge_ttl: Duration,
}

impl Section for MfaSettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "How long a sign-in waits for its second factor.";
        let challenge_ttl = env.read("PORTICO_MFA_TTL", "5m", description, duration);
        Some(Self { challenge_ttl: challenge_ttl? })
    }
}
