//! The setting of mailed codes.

use std::time::Duration;

use crate::platform::{
    env_reader::{EnvReader, duration},
    settings::Section,
};

/// How long a mailed code is valid.
#[derive(Clone, Debug)]
pub struct MailedCodeSettings {
    /// `PORTICO_CODE_TTL`: how long a sign-in code is valid, 10 minutes by default.
    pub code_ttl: Duration,
}

impl Section for MailedCodeSettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "How long a mailed code is valid.";
        let code_ttl = env.read("PORTICO_CODE_TTL", "10m", description, duration);
        Some(Self { code_ttl: code_ttl? })
    }
}
