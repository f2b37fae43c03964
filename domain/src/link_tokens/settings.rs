//! How long mailed secrets live.

use std::time::Duration;

use crate::settings::{EnvReader, duration};

/// How long mailed secrets live, counted from the act that asked for them.
#[derive(Clone, Debug)]
pub struct LinkTokenSettings {
    /// `PORTICO_ACTIVATION_TTL`
    pub activation_ttl: Duration,
    /// `PORTICO_RESET_TTL`
    pub reset_ttl: Duration,
    /// `PORTICO_CODE_TTL`
    pub code_ttl: Duration,
}

impl LinkTokenSettings {
    /// Reads the section.
    pub fn read(env: &mut EnvReader) -> Option<Self> {
        let activation = env.read("PORTICO_ACTIVATION_TTL", "72h", "How long an activation link lives.", duration);
        let reset = env.read("PORTICO_RESET_TTL", "30m", "How long a reset link lives.", duration);
        let code = env.read("PORTICO_CODE_TTL", "10m", "How long a staff sign-in code lives.", duration);
        Some(Self { activation_ttl: activation?, reset_ttl: reset?, code_ttl: code? })
    }
}
