//! The setting of link tokens.

use std::time::Duration;

use crate::platform::{
    env_reader::{EnvReader, duration},
    settings::Section,
};

/// How long a reset link is valid, counted from the request for it. The links of an invitation are valid as long as the
/// invitation.
#[derive(Clone, Debug)]
pub struct LinkTokenSettings {
    /// `PORTICO_RESET_TTL`: how long a reset link is valid, 30 minutes by default.
    pub reset_ttl: Duration,
}

impl Section for LinkTokenSettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let reset_ttl = env.read("PORTICO_RESET_TTL", "30m", "How long a reset link is valid.", duration);
        Some(Self { reset_ttl: reset_ttl? })
    }
}
