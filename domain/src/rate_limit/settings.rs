//! The settings of all rate limits.

use std::time::Duration;

use crate::settings::{EnvReader, duration};

/// The size of a rate limit, written `5/15m`: `burst` units may be used immediately, and one unit comes back every
/// `per / burst`.
///
/// The algorithm is GCRA, the generic cell rate algorithm of ATM Forum Traffic Management 4.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The number of units that may be used immediately, 1 to 1,000,000.
    pub burst: u32,
    /// The time in which all units come back.
    pub per: Duration,
}

impl Quota {
    /// Returns the time in which one unit comes back, in microseconds.
    pub(super) fn interval(self) -> i64 {
        i64::try_from(self.per.as_micros() / u128::from(self.burst)).unwrap_or(i64::MAX / 4)
    }
}

/// The rate limits. `None` means that the limit is off, which production refuses.
#[derive(Clone, Debug)]
pub struct RateLimitSettings {
    /// `PORTICO_LIMIT_REQUESTS`: all requests, per network and process.
    pub requests: Option<Quota>,
    /// `PORTICO_LIMIT_SIGN_IN_RATE`: sign-in and change-password requests, per network and process.
    pub sign_in_rate: Option<Quota>,
    /// `PORTICO_LIMIT_SIGN_IN_ACCOUNT`: wrong passwords, per email address and network or known device.
    pub sign_in_account: Option<Quota>,
    /// `PORTICO_LIMIT_SIGN_IN_NETWORK`: wrong passwords, per network.
    pub sign_in_network: Option<Quota>,
    /// `PORTICO_LIMIT_SIGN_IN_LOCKOUT`: the failure streak, 1 to 1,000, that locks a password until a reset.
    pub sign_in_lockout: Option<u32>,
    /// `PORTICO_LIMIT_RECOVERY_ACCOUNT`: requests for recovery mail, per mailbox and known device.
    pub recovery_account: Option<Quota>,
    /// `PORTICO_LIMIT_RECOVERY_NETWORK`: requests for recovery mail, per network.
    pub recovery_network: Option<Quota>,
    /// `PORTICO_LIMIT_SEND_CODE`: requests for staff codes, per mailbox and known device.
    pub send_code: Option<Quota>,
    /// `PORTICO_LIMIT_SEND_CODE_NETWORK`: requests for staff codes, per network.
    pub send_code_network: Option<Quota>,
    /// `PORTICO_LIMIT_CODE_MISSES`: wrong staff codes, per email address.
    pub code_misses: Option<Quota>,
    /// `PORTICO_LIMIT_TOKEN_NETWORK`: requests that present a link token or a code, per network and process.
    pub token_network: Option<Quota>,
    /// `PORTICO_LIMIT_INVITE_RECIPIENT`: invitations and resends, per tenant and recipient.
    pub invite_recipient: Option<Quota>,
    /// `PORTICO_LIMIT_INVITE_ACTOR`: invitations and resends, per staff user.
    pub invite_actor: Option<Quota>,
    /// `PORTICO_LIMIT_BEARER`: invalid bearer tokens, per network and process.
    pub bearer: Option<Quota>,
}

impl RateLimitSettings {
    /// Reads the section. Returns `None` when a variable is invalid; `env` then holds the errors.
    pub fn read(env: &mut EnvReader) -> Option<Self> {
        let production = env.is_production();
        let mut quota = |name, default, description| {
            env.read(name, default, description, |value| match value {
                "off" if production => Err(format!("must not be off in production, e.g. {name}={default}")),
                "off" => Ok(None),
                _ => parse_quota(value).map(Some).ok_or_else(|| format!("must be N/duration, e.g. {name}={default}")),
            })
        };
        let requests = quota("PORTICO_LIMIT_REQUESTS", "600/1m", "All requests, per network and process.");
        let sign_in_rate = quota(
            "PORTICO_LIMIT_SIGN_IN_RATE",
            "60/1m",
            "Sign-in and change-password requests, per network and process.",
        );
        let sign_in_account = quota(
            "PORTICO_LIMIT_SIGN_IN_ACCOUNT",
            "5/15m",
            "Wrong passwords, per email address and network or known device.",
        );
        let sign_in_network = quota("PORTICO_LIMIT_SIGN_IN_NETWORK", "30/15m", "Wrong passwords, per network.");
        let recovery_account = quota(
            "PORTICO_LIMIT_RECOVERY_ACCOUNT",
            "3/3h",
            "Forgot-password and resend-activation requests, per mailbox.",
        );
        let recovery_network = quota(
            "PORTICO_LIMIT_RECOVERY_NETWORK",
            "20/1h",
            "Forgot-password and resend-activation requests, per network.",
        );
        let send_code = quota("PORTICO_LIMIT_SEND_CODE", "5/1h", "Requests for staff codes, per mailbox.");
        let send_code_network =
            quota("PORTICO_LIMIT_SEND_CODE_NETWORK", "20/1h", "Requests for staff codes, per network.");
        let code_misses = quota("PORTICO_LIMIT_CODE_MISSES", "25/1h", "Wrong staff codes, per email address.");
        let token_network = quota(
            "PORTICO_LIMIT_TOKEN_NETWORK",
            "20/1m",
            "Requests that present a link token or a code, per network and process.",
        );
        let invite_recipient =
            quota("PORTICO_LIMIT_INVITE_RECIPIENT", "10/1d", "Invitations and resends, per tenant and recipient.");
        let invite_actor = quota("PORTICO_LIMIT_INVITE_ACTOR", "500/1d", "Invitations and resends, per staff user.");
        let bearer = quota("PORTICO_LIMIT_BEARER", "60/1m", "Invalid bearer tokens, per network and process.");
        let description =
            "Wrong passwords in a row for one email address that lock the password until a reset, 1 to 1000.";
        let sign_in_lockout = env.read("PORTICO_LIMIT_SIGN_IN_LOCKOUT", "100", description, |value| match value {
            "off" if production => Err("must not be off in production, e.g. PORTICO_LIMIT_SIGN_IN_LOCKOUT=100".into()),
            "off" => Ok(None),
            _ => value
                .parse()
                .ok()
                .filter(|count| (1..=1000).contains(count))
                .map(Some)
                .ok_or_else(|| "must be 1 to 1000, e.g. PORTICO_LIMIT_SIGN_IN_LOCKOUT=100".into()),
        });
        Some(Self {
            requests: requests?,
            sign_in_rate: sign_in_rate?,
            sign_in_account: sign_in_account?,
            sign_in_network: sign_in_network?,
            sign_in_lockout: sign_in_lockout?,
            recovery_account: recovery_account?,
            recovery_network: recovery_network?,
            send_code: send_code?,
            send_code_network: send_code_network?,
            code_misses: code_misses?,
            token_network: token_network?,
            invite_recipient: invite_recipient?,
            invite_actor: invite_actor?,
            bearer: bearer?,
        })
    }
}

/// Parses `N/duration` with N from 1 to 1,000,000.
fn parse_quota(value: &str) -> Option<Quota> {
    let (burst, per) = value.split_once('/')?;
    let burst = burst.parse().ok().filter(|burst| (1..=1_000_000).contains(burst))?;
    Some(Quota { burst, per: duration(per).ok()? })
}
