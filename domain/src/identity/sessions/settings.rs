//! The settings of sessions: lifetimes of sessions and tokens.

use std::time::Duration;

use crate::platform::{
    env_reader::{EnvReader, duration},
    settings::Section,
};

/// The lifetimes of sessions and their tokens.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// `PORTICO_ACCESS_TTL`: the lifetime of an access token, at most 24 hours.
    pub access_ttl: Duration,
    /// `PORTICO_REFRESH_TTL`: the lifetime of a portal session from sign-in.
    pub refresh_ttl: Duration,
    /// `PORTICO_REFRESH_GRACE`: how long the previous refresh token is still accepted after its successor was used.
    pub refresh_grace: Duration,
    /// `PORTICO_STAFF_IDLE_TTL`: the lifetime of a staff session from its last refresh.
    pub staff_idle_ttl: Duration,
    /// `PORTICO_STAFF_TTL`: the lifetime of a staff session from sign-in.
    pub staff_ttl: Duration,
}

impl SessionSettings {
    /// The most live sessions of one portal user. A further sign-in ends the oldest session.
    pub const MAX_LIVE: u64 = 5;
}

impl Section for SessionSettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let access = env.read("PORTICO_ACCESS_TTL", "15m", "How long an access token lives, at most 24h.", |value| {
            // A retired signing key stays published for two days. Every token that it signed must expire before that.
            let ttl = duration(value)?;
            if ttl.as_secs() > 86_400 {
                Err("must be at most 24h, e.g. PORTICO_ACCESS_TTL=15m".into())
            } else {
                Ok(ttl)
            }
        });
        let description = "How long a portal session lives after sign-in. Refreshing does not extend it.";
        let refresh = env.read("PORTICO_REFRESH_TTL", "30d", description, duration);
        let description = "How long the previous refresh token still gets the same successor after that successor, or \
            the access token that came with it, was first presented. After that, presenting it ends the session, \
            because the token may be stolen.";
        let grace = env.read("PORTICO_REFRESH_GRACE", "10s", description, duration);
        let description = "How long a staff session lives without a refresh.";
        let staff_idle = env.read("PORTICO_STAFF_IDLE_TTL", "12h", description, duration);
        let description = "How long a staff session lives after sign-in. Refreshing does not extend it.";
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
