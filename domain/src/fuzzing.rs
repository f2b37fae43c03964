//! Fuzz targets for the parsers of this crate. Each target checks properties that must hold for every input.
//!
//! The crate in `fuzz/` calls the targets, and the tests in this file run them on its seeds. Not part of the product.

use std::{net::IpAddr, time::Duration};

use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use unicode_normalization::is_nfkc;
use url::{Host, Url};

use crate::{
    identity::{
        link_tokens::LinkTokenSettings,
        passwords::PasswordSettings,
        sessions::SessionSettings,
        sso::{self, IssuerRule, SsoSettings},
    },
    limits,
    platform::{
        audit::AuditSettings,
        email_address::EmailAddress,
        env_reader::{EnvReader, Environment},
        mail::{MailSettings, MailUrl},
        name::Name,
        outbound::is_public,
        rate_limit::{Limit, RateLimitSettings, Scope},
        settings::Settings,
        smtp::Encryption,
    },
    registry,
    tenancy::{branding, invitations::InvitationSettings},
};

pub use crate::identity::{
    passkeys::fuzzing::passkey_response,
    sessions::fuzzing::{access_token, refresh_token},
};

/// Checks that [`EmailAddress`] refuses the input or has one normal form to which mail can be sent.
///
/// # Panics
/// If a property does not hold.
pub fn email_address(data: &[u8]) {
    let Ok(typed) = str::from_utf8(data) else { return };
    let Ok(address) = typed.parse::<EmailAddress>() else { return };
    let text = address.as_str();
    assert!(is_nfkc(typed.trim()), "text that Unicode normalization changes must be refused");
    assert!(text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_uppercase() || byte <= b' '), "{text}");
    assert!(text.len() <= 254 && (1..=64).contains(&address.local_part().len()), "{text}");
    assert_eq!(text.parse::<EmailAddress>().as_ref(), Ok(&address), "parsing must be idempotent");
    assert_eq!(
        typed.to_ascii_uppercase().parse::<EmailAddress>().as_ref(),
        Ok(&address),
        "letter case must not matter"
    );
    assert!(text.parse::<lettre::Address>().is_ok(), "{text} must be a valid recipient");
    // The mailbox is a key for rate limits and not always a valid address: `a.+x@b` gives `a.@b`.
    let mailbox = address.mailbox();
    let (base, domain) = mailbox.rsplit_once('@').unwrap_or_default();
    assert!(text.starts_with(base) && text.ends_with(domain) && !base.is_empty() && !base[1..].contains('+'), "{text}");
}

/// Checks that [`Name`] refuses the input, or is short, in normal form and without control characters.
///
/// # Panics
/// If a property does not hold.
pub fn name(data: &[u8]) {
    let Ok(typed) = str::from_utf8(data) else { return };
    let Ok(name) = typed.parse::<Name>() else { return };
    let text = name.as_str();
    assert!((1..=100).contains(&text.chars().count()), "{text:?}");
    assert!(!text.contains(char::is_control) && !text.contains("//"), "{text:?}");
    assert_eq!(text, text.trim());
    assert_eq!(text.parse::<Name>().as_ref(), Ok(&name), "parsing must be idempotent");
}

/// Checks that an uploaded logo is refused, or that the images made of it are small and can be decoded.
///
/// # Panics
/// If a property does not hold.
pub fn logo(data: &[u8]) {
    branding::fuzz_logo(data);
}

/// Checks that [`Settings`] refuses the input without showing a value, or is within its limits.
///
/// The input has one variable on each line, as `NAME=value`. The libraries that use the settings must accept them, too.
///
/// # Panics
/// If a property does not hold.
pub fn settings(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let values: Vec<_> = text.lines().filter_map(|line| line.split_once('=')).collect();
    match read_settings(&values) {
        Ok(settings) => check_settings(&settings),
        Err(problems) => {
            let value_is_shown = problems.iter().any(|line| line.contains("canary"));
            assert!(!value_is_shown || values.iter().any(|(name, _)| name.contains("canary")), "{problems:?}");
        }
    }
}

/// Checks that of all texts only the genuine ID token is accepted, and that accepted claims are bounded.
///
/// # Panics
/// If a property does not hold.
pub fn id_token(data: &[u8]) {
    sso::oidc::fuzzing::id_token(data);
}

/// Checks that the keys of a provider are refused, or have sufficient sizes and can be used without a panic.
///
/// # Panics
/// If a property does not hold.
pub fn jwks(data: &[u8]) {
    sso::oidc::fuzzing::jwks(data);
}

/// The variable without which no settings can be read.
const SECRET: (&str, &str) = ("PORTICO_SECRET", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");

fn read_settings(values: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let all = [SECRET].into_iter().chain(values.iter().copied());
    let mut env = EnvReader::new(all, Some(Environment::Development));
    let settings = registry::read_settings(&mut env, None, Url::parse("http://localhost:8080").ok());
    env.finish(settings).map_err(|error| error.0)
}

fn check_settings(settings: &Settings) {
    let (links, invitations) = (settings.section::<LinkTokenSettings>(), settings.section::<InvitationSettings>());
    let sessions = settings.section::<SessionSettings>();
    let ten_years = Duration::from_secs(315_360_000);
    let link_ttls = [invitations.activation_ttl, links.reset_ttl];
    for ttl in [sessions.access_ttl, sessions.refresh_ttl, sessions.staff_ttl].into_iter().chain(link_ttls) {
        assert!(ttl >= Duration::from_secs(1) && ttl <= ten_years);
    }
    let log_retention = settings.section::<MailSettings>().log_retention;
    assert!(log_retention >= Duration::from_secs(4 * 86_400) && log_retention <= ten_years);
    let retention = settings.section::<AuditSettings>().retention;
    assert!(retention >= Duration::from_secs(86_400) && retention <= ten_years);
    let passwords = settings.section::<PasswordSettings>();
    let memory = (128 * u64::from(passwords.scrypt.r())) << passwords.scrypt.log_n();
    assert!(memory <= (128 * 32) << 20 && (8..=64).contains(&passwords.min) && (64..=1_024).contains(&passwords.max));
    let database = &settings.database;
    let is_sqlite = database.url.starts_with("sqlite:");
    assert!(!is_sqlite || database.url.parse::<SqliteConnectOptions>().is_ok(), "the driver must accept the URL");
    assert!((2..=1_000).contains(&database.connections));
    let is_production = settings.environment == Environment::Production;
    if let MailUrl::Smtp(server) = &settings.section::<MailSettings>().url {
        let may_be_plain = matches!(server.encryption, Encryption::Opportunistic | Encryption::None);
        assert!(
            !may_be_plain || server.credentials.is_none(),
            "credentials must only be sent over an encrypted connection"
        );
        let is_domain = Host::parse(&server.host).is_ok_and(|host| host == Host::Domain(server.host.clone()));
        assert!(
            is_domain || server.host.parse::<IpAddr>().is_ok(),
            "{} must be a host name or an IP address",
            server.host
        );
    } else {
        assert!(!is_production);
    }
    let sso = settings.section::<SsoSettings>();
    assert!(sso.outbound.networks.iter().all(|network| !is_public(network.addr()) && !is_public(network.broadcast())));
    assert!(!is_production || !sso.outbound.is_loopback_allowed);
    for provider in sso.providers() {
        assert!(!provider.client_id.is_empty() && !format!("{provider:?}").contains("canary"));
        if let IssuerRule::Exact(issuer) = &provider.issuer {
            assert!(issuer.as_str().starts_with("https://") || !is_production, "{issuer:?}");
        }
    }
    let limits = settings.section::<RateLimitSettings>();
    let is_on = |limit: &Limit| match limit.scope {
        Scope::Shared | Scope::Process => limits.quota(limit).is_some(),
        Scope::Streak => limits.max_streak(limit).is_some(),
    };
    assert!(!is_production || limits::ALL.iter().all(is_on), "production must not turn a limit off");
    assert!(settings.public_url.has_host() && settings.public_url.path() == "/");
}

#[cfg(test)]
#[path = "../../fuzz/small_form.rs"]
mod small_form;

#[cfg(test)]
mod tests {
    use super::small_form::run;

    #[test]
    fn email_address() {
        run("email_address", super::email_address);
    }

    #[test]
    fn name() {
        run("name", super::name);
    }

    #[test]
    fn logo() {
        run("logo", super::logo);
    }

    #[test]
    fn settings() {
        run("settings", super::settings);
    }

    #[test]
    fn refresh_token() {
        run("refresh_token", super::refresh_token);
    }

    #[test]
    fn access_token() {
        run("access_token", super::access_token);
    }

    #[test]
    fn passkey_response() {
        run("passkey_response", super::passkey_response);
    }

    #[test]
    fn id_token() {
        run("id_token", super::id_token);
    }

    #[test]
    fn jwks() {
        run("jwks", super::jwks);
    }
}
