//! What identifies a provider, and which issuers its tokens may name.

use url::Url;
use uuid::Uuid;

use crate::platform::{secret::PlainToken, settings::is_loopback};

/// The longest issuer, in bytes.
const MAX_ISSUER_BYTES: usize = 255;
/// The issuer of Google.
const GOOGLE: &str = "https://accounts.google.com";
/// What Google also writes into the claim `iss`, as its documentation says.
const GOOGLE_WITHOUT_SCHEME: &str = "accounts.google.com";
/// The parts of a Microsoft issuer before and after the tenant.
const MICROSOFT_ISSUER: (&str, &str) = ("https://login.microsoftonline.com/", "/v2.0");
/// What the metadata of several Microsoft tenants has in the place of the tenant.
const MICROSOFT_PLACEHOLDER: &str = "{tenantid}";
/// The Microsoft tenant of personal accounts.
const CONSUMERS: Uuid = Uuid::from_u128(0x9188040d_6c67_4c5b_b112_36a304b66dad);

/// An identity provider with the client that is registered there. Its `Debug` output hides the secret.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The name under which requests are counted and keys are cached. Unique for each provider of the installation.
    pub key: String,
    /// Which kind of provider it is.
    pub kind: ProviderKind,
    /// Which issuers its tokens may name.
    pub issuer: IssuerRule,
    /// The client identifier (RFC 6749 §2.2).
    pub client_id: String,
    /// The client secret.
    pub client_secret: PlainToken,
}

/// Which kind of provider it is. Only the operator can set up the first two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// Google.
    Google,
    /// Microsoft Entra ID.
    Microsoft,
    /// Any other provider of the operator or of a tenant.
    Oidc,
}

/// Which issuers the tokens of a provider may name (OpenID Connect Core §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerRule {
    /// Exactly this issuer. It is compared as a string, so a slash at its end counts.
    Exact(IssuerUrl),
    /// The issuer of Google, with or without its scheme.
    Google,
    /// The issuer of a Microsoft tenant that is allowed.
    Microsoft(MicrosoftTenants),
}

/// The Microsoft tenants whose accounts may sign in (`PORTICO_MICROSOFT_TENANTS`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MicrosoftTenants {
    /// Every organization, but no personal account.
    Organizations,
    /// Every organization and every personal account.
    Common,
    /// These tenants only. The list is not empty.
    Listed(Vec<Uuid>),
}

/// An issuer: a URL with the scheme https, without query, fragment and user name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerUrl(String);

impl IssuerUrl {
    /// Checks an issuer. The text is kept as it is. `is_loopback_allowed` also allows http on this machine, for
    /// development.
    ///
    /// # Errors
    /// A clause that follows the name of the field, such as "must be …".
    pub fn parse(text: &str, is_loopback_allowed: bool) -> Result<Self, String> {
        let example = "e.g. https://idp.example.com";
        let url = Url::parse(text).map_err(|_| format!("must be the URL of an issuer, {example}"))?;
        // The URL parser removes tabs and takes backslashes for slashes.
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let is_https = text.starts_with("https://");
        let is_local = is_loopback_allowed && text.starts_with("http://") && is_loopback(&url);
        let is_bare = !text.contains(['?', '#']) && url.username().is_empty() && url.password().is_none();
        if text.len() > MAX_ISSUER_BYTES || !is_plain || !url.has_host() {
            return Err(format!("must be the URL of an issuer of at most {MAX_ISSUER_BYTES} characters, {example}"));
        }
        if !is_https && !is_local {
            return Err(format!("must start with https://, {example}"));
        }
        if is_bare {
            Ok(Self(text.into()))
        } else {
            Err(format!("must have no query, fragment or user name, {example}"))
        }
    }

    /// Returns the issuer as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MicrosoftTenants {
    /// Parses `organizations`, `common`, or a comma-separated list of tenant ids.
    ///
    /// # Errors
    /// A clause that follows the name of the variable.
    pub fn parse(value: &str) -> Result<Self, String> {
        let wrong = || {
            "must be organizations, common or a comma-separated list of tenant ids, \
             e.g. 3fa85f64-5717-4562-b3fc-2c963f66afa6"
                .to_owned()
        };
        match value {
            "organizations" => Ok(Self::Organizations),
            "common" => Ok(Self::Common),
            _ => {
                let ids = value.split(',').map(|id| tenant_id(id.trim()).ok_or_else(wrong));
                ids.collect::<Result<_, _>>().map(Self::Listed)
            }
        }
    }

    fn contains(&self, tenant: Uuid) -> bool {
        match self {
            Self::Organizations => tenant != CONSUMERS,
            Self::Common => true,
            Self::Listed(tenants) => tenants.contains(&tenant),
        }
    }

    /// Returns the part of the authority that these tenants share: a tenant id, `organizations` or `common`.
    fn authority(&self) -> String {
        match self {
            Self::Organizations => "organizations".into(),
            Self::Listed(tenants) if tenants.len() == 1 => tenants.iter().map(Uuid::to_string).collect(),
            Self::Listed(tenants) if !tenants.contains(&CONSUMERS) => "organizations".into(),
            Self::Common | Self::Listed(_) => "common".into(),
        }
    }
}

impl IssuerRule {
    /// Returns the URL of the metadata (OpenID Connect Discovery §4). Every rule has one.
    pub(super) fn discovery_url(&self) -> Option<Url> {
        let issuer = match self {
            Self::Exact(issuer) => issuer.as_str().to_owned(),
            Self::Google => GOOGLE.into(),
            Self::Microsoft(tenants) => microsoft_issuer(&tenants.authority()),
        };
        Url::parse(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))).ok()
    }

    /// Returns whether the metadata of the provider may name `issuer`.
    pub(super) fn is_in_metadata(&self, issuer: &str) -> bool {
        match self {
            Self::Exact(expected) => issuer == expected.as_str(),
            Self::Google => issuer == GOOGLE,
            Self::Microsoft(MicrosoftTenants::Listed(tenants)) if tenants.len() == 1 => {
                tenants.iter().all(|tenant| issuer == microsoft_issuer(&tenant.to_string()))
            }
            Self::Microsoft(_) => issuer == microsoft_issuer(MICROSOFT_PLACEHOLDER),
        }
    }

    /// Returns the issuer of a token that names `issuer` and the tenant `tid`, as it is stored; `None` if this
    /// provider does not issue such tokens.
    pub(super) fn of_token(&self, issuer: &str, tid: Option<&str>) -> Option<String> {
        match self {
            Self::Exact(expected) => (issuer == expected.as_str()).then(|| issuer.into()),
            Self::Google => [GOOGLE, GOOGLE_WITHOUT_SCHEME].contains(&issuer).then(|| GOOGLE.into()),
            Self::Microsoft(tenants) => {
                let tenant = tenant_id(tid?).filter(|tenant| tenants.contains(*tenant))?;
                (issuer == microsoft_issuer(&tenant.to_string())).then(|| issuer.into())
            }
        }
    }

    /// Returns whether the parameter `iss` of a response (RFC 9207) may be `issuer`.
    pub(super) fn is_in_response(&self, issuer: &str) -> bool {
        match self {
            Self::Exact(_) | Self::Google => self.is_in_metadata(issuer),
            Self::Microsoft(_) => {
                let (start, end) = MICROSOFT_ISSUER;
                let tid = issuer.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
                tid.is_some_and(|tid| self.of_token(issuer, Some(tid)).is_some())
            }
        }
    }

    /// Returns whether a key that belongs to `key_issuer` may sign a token of `issuer`. Microsoft writes into a key for
    /// which tenants it is.
    pub(super) fn may_sign(&self, key_issuer: &str, issuer: &str) -> bool {
        match self {
            Self::Microsoft(_) => key_issuer == issuer || key_issuer == microsoft_issuer(MICROSOFT_PLACEHOLDER),
            Self::Exact(_) | Self::Google => true,
        }
    }
}

fn microsoft_issuer(tenant: &str) -> String {
    let (start, end) = MICROSOFT_ISSUER;
    format!("{start}{tenant}{end}")
}

/// Parses a tenant id in its only form: lower case with hyphens.
fn tenant_id(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|id| id.to_string() == text && !id.is_nil())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
    const OTHER: &str = "11111111-2222-3333-4444-555555555555";
    const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

    fn microsoft(tenants: &str) -> IssuerRule {
        IssuerRule::Microsoft(MicrosoftTenants::parse(tenants).unwrap())
    }

    #[test]
    fn an_issuer_is_an_exact_string() {
        let issuer = |text: &str| IssuerRule::Exact(IssuerUrl::parse(text, false).unwrap());
        let rule = issuer("https://idp.example.com/realms/a");
        assert!(rule.is_in_metadata("https://idp.example.com/realms/a"));
        for other in ["https://idp.example.com/realms/a/", "https://IDP.example.com/realms/a", "", "idp.example.com"] {
            assert!(!rule.is_in_metadata(other) && !rule.is_in_response(other), "{other}");
            assert_eq!(rule.of_token(other, None), None, "{other}");
        }
        for (text, url) in [
            ("https://idp.example.com", "https://idp.example.com/.well-known/openid-configuration"),
            ("https://idp.example.com/", "https://idp.example.com/.well-known/openid-configuration"),
            ("https://idp.example.com/a/", "https://idp.example.com/a/.well-known/openid-configuration"),
        ] {
            assert_eq!(issuer(text).discovery_url().unwrap().as_str(), url);
        }
    }

    #[test]
    fn issuers_are_https_without_query_and_http_is_for_the_machine_of_a_developer() {
        for wrong in [
            "",
            "idp.example.com",
            "http://idp.example.com",
            "https://",
            "https:idp.example.com",
            "https:\\\\idp.example.com",
            "https://idp.example.com?a",
            "https://idp.example.com/?",
            "https://idp.example.com/#",
            "https://user@idp.example.com",
            "https://idp.example.com/a b",
            "https://idp.example.com/\ta",
            "HTTPS://idp.example.com",
            "ftp://idp.example.com",
            &format!("https://idp.example.com/{}", "a".repeat(255)),
        ] {
            assert!(IssuerUrl::parse(wrong, true).unwrap_err().contains("e.g. "), "{wrong}");
        }
        for local in ["http://localhost:4000", "http://127.0.0.1:4000/a", "http://[::1]:4000", "http://a.localhost"] {
            assert!(IssuerUrl::parse(local, false).is_err(), "{local}");
            assert_eq!(IssuerUrl::parse(local, true).unwrap().as_str(), local);
        }
    }

    #[test]
    fn a_microsoft_issuer_is_that_of_an_allowed_tenant() {
        let issuer = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
        for (tenants, allowed, refused) in [
            ("organizations", &[TENANT, OTHER][..], &[PERSONAL][..]),
            ("common", &[TENANT, OTHER, PERSONAL], &[]),
            (TENANT, &[TENANT], &[OTHER, PERSONAL]),
            (&format!("{TENANT}, {OTHER}"), &[TENANT, OTHER], &[PERSONAL]),
        ] {
            let rule = microsoft(tenants);
            for tid in allowed {
                assert_eq!(rule.of_token(&issuer(tid), Some(tid)), Some(issuer(tid)), "{tenants} {tid}");
                assert!(rule.is_in_response(&issuer(tid)));
            }
            for tid in refused.iter().chain(&["{tenantid}", "", "organizations", "common"]) {
                assert_eq!(rule.of_token(&issuer(tid), Some(tid)), None, "{tenants} {tid}");
                assert!(!rule.is_in_response(&issuer(tid)));
            }
            assert_eq!(rule.of_token(&issuer(TENANT), None), None, "no tenant");
            assert_eq!(rule.of_token(&issuer(OTHER), Some(TENANT)), None, "the tenant of another issuer");
            assert_eq!(rule.of_token(&issuer(&TENANT.to_uppercase()), Some(&TENANT.to_uppercase())), None);
        }
        let rule = microsoft("organizations");
        assert!(rule.is_in_metadata(&issuer("{tenantid}")) && !rule.is_in_metadata(&issuer(TENANT)));
        assert!(
            rule.may_sign(&issuer("{tenantid}"), &issuer(TENANT)) && rule.may_sign(&issuer(TENANT), &issuer(TENANT))
        );
        assert!(!rule.may_sign(&issuer(PERSONAL), &issuer(TENANT)), "a key for personal accounts only");
        assert!(microsoft(TENANT).is_in_metadata(&issuer(TENANT)));
        let discovery = |tenants: &str| microsoft(tenants).discovery_url().unwrap().path().to_owned();
        for (tenants, authority) in [
            ("organizations", "organizations"),
            ("common", "common"),
            (TENANT, TENANT),
            (&format!("{TENANT},{OTHER}"), "organizations"),
            (&format!("{TENANT},{PERSONAL}"), "common"),
        ] {
            assert_eq!(discovery(tenants), format!("/{authority}/v2.0/.well-known/openid-configuration"));
        }
        for wrong in ["", "consumers", "contoso.com", &TENANT.to_uppercase(), &TENANT.replace('-', ""), "a,", ","] {
            assert!(MicrosoftTenants::parse(wrong).unwrap_err().contains("e.g. "), "{wrong}");
        }
    }

    #[test]
    fn google_may_leave_out_its_scheme_and_has_one_stored_issuer() {
        for issuer in ["https://accounts.google.com", "accounts.google.com"] {
            assert_eq!(IssuerRule::Google.of_token(issuer, None).as_deref(), Some("https://accounts.google.com"));
        }
        assert_eq!(IssuerRule::Google.of_token("https://accounts.google.com/", None), None);
        assert!(!IssuerRule::Google.is_in_metadata("accounts.google.com"));
    }
}
