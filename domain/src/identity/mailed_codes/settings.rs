//! The settings of mailed codes.

use std::time::Duration;

use crate::platform::{
    env_reader::{EnvReader, duration},
    secret::PlainToken,
    settings::Section,
};

/// How long a mailed code is valid, and whether another code can replace it.
#[derive(Clone, Debug)]
pub struct MailedCodeSettings {
    /// `PORTICO_CODE_TTL`: how long a mailed code is valid, 10 minutes by default.
    pub code_ttl: Duration,
    /// `PORTICO_MASTER_CODE`: in development, six digits that are accepted in place of a mailed sign-in code.
    pub(super) master_code: Option<PlainToken>,
}

impl Section for MailedCodeSettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "How long a mailed code is valid.";
        let code_ttl = env.read("PORTICO_CODE_TTL", "10m", description, duration);
        let description = "In development: six digits that are accepted in place of the sign-in code that was mailed to a \
            user. Each use is in the audit log. Production refuses it.";
        let production = env.is_production();
        let master_code =
            env.optional("PORTICO_MASTER_CODE", description, |value| parse_master_code(value, production));
        Some(Self { code_ttl: code_ttl?, master_code })
    }
}

fn parse_master_code(value: &str, production: bool) -> Result<PlainToken, String> {
    if production {
        return Err("must not be set in production: it would sign in every user, e.g. leave it out".into());
    }
    if value.len() != 6 || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("must be six digits, e.g. 424242".into());
    }
    Ok(PlainToken::new(value))
}
