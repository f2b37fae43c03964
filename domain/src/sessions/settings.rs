//! How long sessions and their tokens live.

use std::time::Duration;

use crate::settings::{EnvReader, duration};

/// How long sessions and their tokens live.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// `PORTICO_ACCESS_TTL`
    pub access_ttl: Duration,
    /// `PORTICO_REFRESH_TTL`
    pub refresh_ttl: Duration,
    /// `PORTICO_REFRESH_GRACE`
    pub refresh_grace: Duration,
    /// `PORTICO_STAFF_IDLE_TTL`
    pub staff_idle_ttl: Duration,
    /// `PORTICO_STAFF_TTL`
    pub staff_ttl: Duration,
}

impl SessionSettings {
    /// The most live sessions of one portal user; a further sign-in ends the oldest.
    pub const MAX_LIVE: u64 = 5;

    /// Reads the section.
    pub fn read(env: &mut EnvReader) -> Option<Self> {
        let access = env.read("PORTICO_ACCESS_TTL", "15m", "How long an access token lives, at most 24h.", |value| {
            // A retired signing key is published for two days, which must outlive every token it signed.
            let lives = duration(value)?;
            if lives.as_secs() > 86_400 {
                Err("must be at most 24h, e.g. PORTICO_ACCESS_TTL=15m".into())
            } else {
                Ok(lives)
            }
        });
        let description = "How long a portal session lives after sign-in, however often it is refreshed.";
        let refresh = env.read("PORTICO_REFRESH_TTL", "30d", description, duration);
        let description = "How long after a rotation the previous refresh token still gets the same successor (two tabs, \
                       a lost answer); later it is taken for stolen.";
        let grace = env.read("PORTICO_REFRESH_GRACE", "10s", description, duration);
        let description = "How long a staff session lives without a refresh.";
        let staff_idle = env.read("PORTICO_STAFF_IDLE_TTL", "12h", description, duration);
        let description = "How long a staff session lives after sign-in, however often it is refreshed.";
        let staff = env.read("PORTICO_STAFF_TTL", "7d", description, duration);
        Some(Self {
            access_ttl: access?,
            refresh_ttl: refresh?,
            refresh_grace: grace?,
            staff_idle_ttl: staff_idle?,
            staff_ttl: staff?,
        })
    }
}
