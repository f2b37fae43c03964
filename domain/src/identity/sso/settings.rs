//! The settings of single sign-on: the providers of the installation, and where requests to providers may go.

use std::path::PathBuf;

use url::Url;

use super::provider::{IssuerRule, IssuerUrl, MicrosoftTenants, Provider, ProviderKind};
use crate::platform::{
    env_reader::EnvReader,
    outbound::{OutboundSettings, parse_networks},
    secret::PlainToken,
    settings::Section,
};

/// The longest client id and client secret, in bytes.
const MAX_CLIENT_BYTES: usize = 1_000;
/// The longest name of a provider, in characters.
const MAX_NAME_CHARS: usize = 50;

/// The providers that the operator has set up, and where requests to providers may go.
#[derive(Clone, Debug)]
pub struct SsoSettings {
    /// `PORTICO_SSO_NETWORKS` and `PORTICO_SSO_CA`. Loopback is allowed in development.
    pub outbound: OutboundSettings,
    /// `PORTICO_GOOGLE_CLIENT_ID` and `PORTICO_GOOGLE_CLIENT_SECRET`.
    pub google: Option<ClientRegistration>,
    /// `PORTICO_MICROSOFT_CLIENT_ID`, `PORTICO_MICROSOFT_CLIENT_SECRET` and `PORTICO_MICROSOFT_TENANTS`.
    pub microsoft: Option<(ClientRegistration, MicrosoftTenants)>,
    /// `PORTICO_OIDC_CLIENT_ID`, `PORTICO_OIDC_CLIENT_SECRET` and `PORTICO_OIDC_ISSUER`.
    pub oidc: Option<(ClientRegistration, IssuerUrl)>,
    /// `PORTICO_OIDC_NAME`: what the button of that provider says; the host of the issuer by default.
    pub oidc_name: String,
}

/// The client that is registered at a provider. Its `Debug` output hides the secret.
#[derive(Clone, Debug)]
pub struct ClientRegistration {
    /// The client identifier.
    pub id: String,
    /// The client secret.
    pub secret: PlainToken,
}

impl SsoSettings {
    /// Returns the providers of the installation, with the keys `google`, `microsoft` and `oidc`.
    pub fn providers(&self) -> Vec<Provider> {
        let provider = |key: &str, kind, issuer, client: &ClientRegistration| Provider {
            key: key.into(),
            kind,
            issuer,
            client_id: client.id.clone(),
            client_secret: client.secret.clone(),
        };
        let google = self.google.iter().map(|c| provider("google", ProviderKind::Google, IssuerRule::Google, c));
        let microsoft = self.microsoft.iter().map(|(client, tenants)| {
            provider("microsoft", ProviderKind::Microsoft, IssuerRule::Microsoft(tenants.clone()), client)
        });
        let oidc = self
            .oidc
            .iter()
            .map(|(client, issuer)| provider("oidc", ProviderKind::Oidc, IssuerRule::Exact(issuer.clone()), client));
        google.chain(microsoft).chain(oidc).collect()
    }
}

impl Section for SsoSettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "The private networks that hold identity providers: a comma-separated list of CIDRs, such as \
            `10.20.0.0/16`. Requests to any other address that is not public are refused. Development also allows \
            loopback, there without TLS too.";
        let networks = env.read("PORTICO_SSO_NETWORKS", "", description, parse_networks);
        let description = "A PEM file with the certificate authorities of identity providers, in addition to the public \
            ones.";
        let ca = env.optional("PORTICO_SSO_CA", description, |path| Ok(PathBuf::from(path)));

        let google =
            read_client(env, ["PORTICO_GOOGLE_CLIENT_ID", "PORTICO_GOOGLE_CLIENT_SECRET"], [GOOGLE_ID, SECRET]);
        require_all(env, &["PORTICO_GOOGLE_CLIENT_ID", "PORTICO_GOOGLE_CLIENT_SECRET"], &[]);

        let names = ["PORTICO_MICROSOFT_CLIENT_ID", "PORTICO_MICROSOFT_CLIENT_SECRET"];
        let microsoft = read_client(env, names, [MICROSOFT_ID, SECRET]);
        let description = "Whose accounts may sign in with Microsoft: `organizations`, `common` (also personal \
            accounts), or a comma-separated list of tenant ids.";
        let tenants = env.read("PORTICO_MICROSOFT_TENANTS", "organizations", description, MicrosoftTenants::parse);
        require_all(env, &names, &["PORTICO_MICROSOFT_TENANTS"]);

        let names = ["PORTICO_OIDC_CLIENT_ID", "PORTICO_OIDC_CLIENT_SECRET"];
        let oidc = read_client(env, names, [OIDC_ID, SECRET]);
        let description = "The issuer of a further OpenID Connect provider of the installation, exactly as the \
            provider writes it: https, without query and fragment. Development also takes http on loopback.";
        let is_local = !env.is_production();
        let issuer = env.optional("PORTICO_OIDC_ISSUER", description, |text| IssuerUrl::parse(text, is_local));
        let description = "The name of that provider on the sign-in page, at most 50 characters. The default is the \
            host of the issuer.";
        let name = env.optional("PORTICO_OIDC_NAME", description, parse_name);
        require_all(
            env,
            &["PORTICO_OIDC_CLIENT_ID", "PORTICO_OIDC_CLIENT_SECRET", "PORTICO_OIDC_ISSUER"],
            &["PORTICO_OIDC_NAME"],
        );

        let host = issuer.as_ref().and_then(|issuer| Url::parse(issuer.as_str()).ok()?.host_str().map(str::to_owned));
        let tenants = tenants?;
        Some(Self {
            outbound: OutboundSettings { networks: networks?, ca, is_loopback_allowed: is_local },
            google,
            microsoft: microsoft.map(|client| (client, tenants)),
            oidc: oidc.zip(issuer),
            oidc_name: name.or(host).unwrap_or_default(),
        })
    }
}

const GOOGLE_ID: &str = "The client id of Portico at Google, for sign-in with Google.";
const MICROSOFT_ID: &str = "The application (client) id of Portico at Microsoft Entra, for sign-in with Microsoft.";
const OIDC_ID: &str = "The client id of Portico at the provider of `PORTICO_OIDC_ISSUER`.";
const SECRET: &str = "The client secret that belongs to this id.";

/// Reads the client id and the client secret of a provider.
fn read_client(
    env: &mut EnvReader,
    [id, secret]: [&'static str; 2],
    [id_description, secret_description]: [&'static str; 2],
) -> Option<ClientRegistration> {
    let id = env.optional(id, id_description, parse_client);
    let secret = env.optional(secret, secret_description, parse_client);
    Some(ClientRegistration { id: id?, secret: PlainToken::new(secret?) })
}

/// A client id or a client secret: visible ASCII characters (RFC 6749, appendix A).
fn parse_client(value: &str) -> Result<String, String> {
    if value.len() <= MAX_CLIENT_BYTES && value.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(value.into())
    } else {
        Err(format!("must have at most {MAX_CLIENT_BYTES} visible ASCII characters, e.g. 0oa1b2c3d4"))
    }
}

fn parse_name(value: &str) -> Result<String, String> {
    if value.chars().count() <= MAX_NAME_CHARS && !value.contains(char::is_control) {
        Ok(value.into())
    } else {
        Err(format!("must have at most {MAX_NAME_CHARS} characters and no control characters, e.g. Example Login"))
    }
}

/// Adds an error for each of the `required` variables that is not set, if another one of them or of `optional` is set.
fn require_all(env: &mut EnvReader, required: &[&'static str], optional: &[&'static str]) {
    let Some(set) = required.iter().chain(optional).find(|name| env.is_set(name)) else { return };
    for name in required.iter().filter(|name| !env.is_set(name)).copied().collect::<Vec<_>>() {
        let example = if name.ends_with("_ISSUER") { "https://idp.example.com" } else { "0oa1b2c3d4" };
        env.add_error(name, &format!("must be set together with {set}, e.g. {name}={example}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::env_reader::{Environment, SettingsError};

    fn read(values: &[(&str, &str)], environment: Environment) -> Result<SsoSettings, SettingsError> {
        let mut env = EnvReader::new(values.iter().copied(), Some(environment));
        let settings = SsoSettings::read(&mut env);
        env.finish(settings)
    }

    #[test]
    fn nothing_is_set_up_by_default_and_production_refuses_loopback() {
        let settings = read(&[], Environment::Production).unwrap();
        assert!(settings.providers().is_empty() && !settings.outbound.is_loopback_allowed);
        assert!(read(&[], Environment::Development).unwrap().outbound.is_loopback_allowed);
        let local = [
            ("PORTICO_OIDC_ISSUER", "http://localhost:4000"),
            ("PORTICO_OIDC_CLIENT_ID", "a"),
            ("PORTICO_OIDC_CLIENT_SECRET", "b"),
        ];
        assert_eq!(read(&local, Environment::Development).unwrap().oidc_name, "localhost");
        let error = read(&local, Environment::Production).unwrap_err().to_string();
        assert!(error.starts_with("PORTICO_OIDC_ISSUER must start with https://"), "{error}");
    }

    #[test]
    fn complete_sets_are_providers() {
        let all = [
            ("PORTICO_GOOGLE_CLIENT_ID", "1-a.apps.googleusercontent.com"),
            ("PORTICO_GOOGLE_CLIENT_SECRET", "canary"),
            ("PORTICO_MICROSOFT_CLIENT_ID", "3fa85f64-5717-4562-b3fc-2c963f66afa6"),
            ("PORTICO_MICROSOFT_CLIENT_SECRET", "canary"),
            ("PORTICO_OIDC_CLIENT_ID", "portico"),
            ("PORTICO_OIDC_CLIENT_SECRET", "canary"),
            ("PORTICO_OIDC_ISSUER", "https://idp.example.com/"),
            ("PORTICO_OIDC_NAME", "Example Login"),
        ];
        let settings = read(&all, Environment::Production).unwrap();
        let providers = settings.providers();
        let keys: Vec<_> = providers.iter().map(|provider| &*provider.key).collect();
        assert_eq!(keys, ["google", "microsoft", "oidc"]);
        assert_eq!(providers[1].issuer, IssuerRule::Microsoft(MicrosoftTenants::Organizations));
        assert_eq!(settings.oidc_name, "Example Login");
        assert!(!format!("{settings:?} {providers:?}").contains("canary"));
        for left_out in [0, 1, 2, 3, 4, 5, 6] {
            let mut part = all.to_vec();
            let (name, _) = part.remove(left_out);
            let error = read(&part, Environment::Production).unwrap_err();
            let [line] = &error.0[..] else { panic!("{error}") };
            assert!(line.starts_with(&format!("{name} must be set together with PORTICO_")), "{line}");
            assert!(line.contains("e.g. "), "{line}");
        }
    }

    #[test]
    fn wrong_values_are_named_with_an_example() {
        for (name, value) in [
            ("PORTICO_SSO_NETWORKS", "0.0.0.0/0"),
            ("PORTICO_GOOGLE_CLIENT_ID", "a b"),
            ("PORTICO_MICROSOFT_TENANTS", "contoso"),
            ("PORTICO_OIDC_ISSUER", "idp.example.com"),
            ("PORTICO_OIDC_NAME", &"a".repeat(51)),
        ] {
            let error = read(&[(name, value)], Environment::Development).unwrap_err();
            assert!(error.0.iter().any(|line| line.starts_with(name) && line.contains("e.g. ")), "{error}");
        }
        let alone = read(&[("PORTICO_MICROSOFT_TENANTS", "common")], Environment::Development).unwrap_err();
        assert_eq!(alone.0.len(), 2, "{alone}");
    }
}
