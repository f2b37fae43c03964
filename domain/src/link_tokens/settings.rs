//! Settings: the lifetimes of mailed links and codes.

use std::time::Duration;

use crate::settings::{EnvReader, duration};

/// The lifetimes of mailed links and codes, counted from the request for the mail.
#[derive(Clone, Debug)]
pub struct LinkTokenSettings {
    /// `PORTICO_ACTIVATION_TTL`: the lifetime of an invitation and its links. The default is 72 hours.
    pub activation_ttl: Duration,
    /// `PORTICO_RESET_TTL`: the lifetime of a reset link. The default is 30 minutes.
    pub reset_ttl: Duration,
    /// `PORTICO_CODE_TTL`: the lifetime of a staff sign-in code. The default is 10 minutes.
    pub code_ttl: Duration,
}

impl LinkTokenSettings {
    /// Reads the section. Returns `None` if a variable has a wrong value; `env` then holds the error.
    pub fn read(env: &mut EnvReader) -> Option<Self> {
        let activation =
            env.read("PORTICO_ACTIVATION_TTL", "72h", "The lifetime of an invitation and its links.", duration);
        let reset = env.read("PORTICO_RESET_TTL", "30m", "The lifetime of a reset link.", duration);
        let code = env.read("PORTICO_CODE_TTL", "10m", "The lifetime of a staff sign-in code.", duration);
        Some(Self { activation_ttl: activation?, reset_ttl: reset?, code_ttl: code? })
    }
}
