//! Which providers decide who owns an email address.

use super::VerifiedIdentity;
use crate::identity::sso::provider::ProviderKind;

/// Returns whether the provider is authoritative for the email address of the identity, so that it proves who owns it.
///
/// Only Google is, for addresses of Gmail and of the organization that manages the account
/// (<https://developers.google.com/identity/gsi/web/guides/verify-google-id-token>). An address that Microsoft or the
/// provider of a tenant names may be any text that an administrator there has typed.
pub fn is_authoritative(kind: ProviderKind, identity: &VerifiedIdentity) -> bool {
    let Some(email) = &identity.email else { return false };
    let Some((_, domain)) = email.as_str().rsplit_once('@') else { return false };
    let is_hosted = identity.hosted_domain.as_ref().is_some_and(|hosted| hosted.eq_ignore_ascii_case(domain));
    match kind {
        ProviderKind::Google => identity.email_verified && (domain == "gmail.com" || is_hosted),
        ProviderKind::Microsoft | ProviderKind::Oidc => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(email: &str, email_verified: bool, hosted_domain: Option<&str>) -> VerifiedIdentity {
        VerifiedIdentity {
            issuer: "https://accounts.google.com".into(),
            subject: "1".into(),
            email: email.parse().ok(),
            email_verified,
            hosted_domain: hosted_domain.map(str::to_owned),
            name: None,
            amr: Vec::new(),
            acr: None,
            auth_time: None,
            sid: None,
            tid: None,
        }
    }

    #[test]
    fn only_google_is_authoritative_and_only_for_its_own_domains() {
        for (email, verified, hosted, is_expected) in [
            ("ann@gmail.com", true, None, true),
            ("Ann@Gmail.com", true, None, true),
            ("ann@corp.test", true, Some("corp.test"), true),
            ("ann@corp.test", true, Some("Corp.Test"), true),
            ("ann@gmail.com", false, None, false),
            ("ann@corp.test", false, Some("corp.test"), false),
            ("ann@corp.test", true, None, false),
            ("ann@corp.test", true, Some("other.test"), false),
            ("ann@sub.corp.test", true, Some("corp.test"), false),
            ("ann@corp.test", true, Some(""), false),
            ("ann@gmail.com.evil.test", true, None, false),
            ("ann@evilgmail.com", true, None, false),
            ("\"a@gmail.com\"@evil.test", true, None, false),
            ("not an address", true, Some("corp.test"), false),
        ] {
            let identity = identity(email, verified, hosted);
            assert_eq!(is_authoritative(ProviderKind::Google, &identity), is_expected, "{email}");
            assert!(!is_authoritative(ProviderKind::Microsoft, &identity), "{email}");
            assert!(!is_authoritative(ProviderKind::Oidc, &identity), "{email}");
        }
    }
}
