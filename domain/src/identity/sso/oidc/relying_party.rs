//! The requests of a sign-in through a provider, in their order.

use std::sync::Arc;

use url::Url;

use super::{
    authorization::{self, AuthorizationRequest, Callback},
    discovery::{self, Metadata},
    failure::OidcError,
    id_token::{self, Expected, VerifiedIdentity},
    jwks::{Key, KeySet},
    jwt::Unverified,
    logout_token::{self, LogoutToken},
    provider_cache::ProviderCache,
};
use crate::{
    identity::sso::provider::Provider,
    platform::{clock::Time, outbound::OutboundClient},
};

/// Portico as a client of identity providers. It remembers their metadata and keys. Cheap to clone.
///
/// Each call may wait for the provider, for at most 5 seconds per request. No transaction of the database may be open.
#[derive(Clone)]
pub struct RelyingParty {
    outbound: OutboundClient,
    cache: Arc<ProviderCache>,
}

impl RelyingParty {
    /// Creates a relying party that has loaded nothing yet.
    pub fn new(outbound: OutboundClient) -> Self {
        Self { outbound, cache: Arc::new(ProviderCache::new()) }
    }

    /// Loads the metadata and the keys of a provider, regardless of what is remembered, to check its settings. The
    /// client secret is not checked: only an exchange shows whether it is right.
    ///
    /// # Errors
    /// An [`OidcError`], if they cannot be loaded, or if no key can verify a signature.
    pub async fn check(&self, provider: &Provider) -> Result<(), OidcError> {
        let metadata = discovery::fetch(&self.outbound, provider).await?;
        fetch_keys(&self.outbound, provider, &metadata).await.map(drop)
    }

    /// Returns the URL that the browser is sent to.
    ///
    /// # Errors
    /// An [`OidcError`], if the metadata of the provider cannot be loaded.
    pub async fn authorization_url(
        &self,
        provider: &Provider,
        request: &AuthorizationRequest<'_>,
        now: Time,
    ) -> Result<Url, OidcError> {
        let metadata = self.metadata(provider, now).await?;
        Ok(authorization::url(&metadata, provider, request))
    }

    /// Exchanges the code of a response for an ID token, verifies it, and returns the identity.
    ///
    /// The caller has spent the flow that the response belongs to before this call.
    ///
    /// # Errors
    /// - [`OidcError::Refused`] if the response or the token is not valid, and [`OidcError::Request`] if the provider
    ///   refuses the code.
    /// - An error that [is transient](OidcError::is_transient), if the provider does not answer.
    pub async fn exchange(
        &self,
        provider: &Provider,
        callback: &Callback<'_>,
        now: Time,
    ) -> Result<VerifiedIdentity, OidcError> {
        let metadata = self.metadata(provider, now).await?;
        authorization::check_issuer(&metadata, provider, callback.issuer)?;
        let token = authorization::exchange(&self.outbound, &metadata, provider, callback).await?;
        let unverified = id_token::read(&token)?;
        let key = self.key(provider, &metadata, &unverified, now).await?;
        let expected = Expected { nonce: callback.nonce, max_age: callback.max_age };
        let identity = id_token::verify(&unverified, &key, provider, expected, now)?;
        if callback.issuer.is_some_and(|issuer| issuer != identity.issuer) {
            return Err(OidcError::Refused("the response and the token are of different issuers"));
        }
        Ok(identity)
    }

    /// Verifies a logout token. Any client may have sent it.
    ///
    /// # Errors
    /// - [`OidcError::Refused`] if the token is not valid.
    /// - An error that [is transient](OidcError::is_transient), if the keys of the provider cannot be loaded.
    pub async fn verify_logout_token(
        &self,
        provider: &Provider,
        token: &str,
        now: Time,
    ) -> Result<LogoutToken, OidcError> {
        let unverified = logout_token::read(token)?;
        let metadata = self.metadata(provider, now).await?;
        let key = self.key(provider, &metadata, &unverified, now).await?;
        logout_token::verify(&unverified, &key, provider, now)
    }

    async fn metadata(&self, provider: &Provider, now: Time) -> Result<Arc<Metadata>, OidcError> {
        let entry = self.cache.entry(provider);
        if let Some(metadata) = entry.metadata.current(now, |_| true) {
            return Ok(metadata);
        }
        let (client, provider) = (self.outbound.clone(), provider.clone());
        // A task, because a client that disconnects must not cancel a load that others wait for.
        let load = tokio::spawn(async move {
            entry.metadata.get_or_load(now, |_| true, || discovery::fetch(&client, &provider)).await
        });
        load.await.unwrap_or(Err(OidcError::NotLoaded))
    }

    /// Returns the key that `token` names. An unknown key loads the keys again, at most once a minute.
    async fn key(
        &self,
        provider: &Provider,
        metadata: &Arc<Metadata>,
        token: &Unverified<'_>,
        now: Time,
    ) -> Result<Key, OidcError> {
        let entry = self.cache.entry(provider);
        let (algorithm, kid) = (token.algorithm, token.kid.clone());
        let has_key = move |keys: &KeySet| keys.find(algorithm, kid.as_deref()).is_some();
        let keys = match entry.keys.current(now, &has_key) {
            Some(keys) => keys,
            None => {
                let (client, provider, metadata) = (self.outbound.clone(), provider.clone(), metadata.clone());
                let load = tokio::spawn(async move {
                    entry.keys.get_or_load(now, has_key, || fetch_keys(&client, &provider, &metadata)).await
                });
                load.await.unwrap_or(Err(OidcError::NotLoaded))?
            }
        };
        let key = keys.find(token.algorithm, token.kid.as_deref()).cloned();
        key.ok_or(OidcError::Refused("the provider has no such key"))
    }
}

async fn fetch_keys(client: &OutboundClient, provider: &Provider, metadata: &Metadata) -> Result<KeySet, OidcError> {
    let keys = KeySet::of(client.get_json(&provider.key, &metadata.jwks_uri).await?)?;
    if keys.is_empty() { Err(OidcError::Refused("the provider has no key for signatures")) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use chrono::TimeDelta;
    use futures_util::{FutureExt, future::BoxFuture};
    use serde_json::{Value, json};

    use super::{
        super::test_tokens::{self, TestKey, jwks, nonce, now},
        *,
    };
    use crate::{
        identity::sso::provider::{IssuerRule, IssuerUrl},
        platform::{
            outbound::{
                OutboundError,
                test_server::{Answer, TestServer, local_client},
            },
            secret::PlainToken,
        },
    };

    /// What the provider answers. `None`: it answers with status 500.
    #[derive(Default)]
    struct Answers {
        keys: Option<Value>,
        id_token: Option<String>,
    }

    /// A provider on this machine, and a relying party.
    struct World {
        server: TestServer,
        answers: Arc<Mutex<Answers>>,
        provider: Provider,
        party: RelyingParty,
    }

    impl World {
        async fn start() -> Self {
            let answers = Arc::<Mutex<Answers>>::default();
            let state = answers.clone();
            let server = TestServer::start(move |request| {
                let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
                let state = state.lock().unwrap();
                let body = match request.split(' ').nth(1).unwrap() {
                    "/.well-known/openid-configuration" => Some(json!({
                        "issuer": format!("http://{host}"),
                        "authorization_endpoint": format!("http://{host}/authorize"),
                        "token_endpoint": format!("http://{host}/token"),
                        "jwks_uri": format!("http://{host}/keys"),
                    })),
                    "/keys" => state.keys.clone(),
                    _ => Some(json!({"access_token": "a", "token_type": "Bearer", "id_token": state.id_token})),
                };
                body.map_or(Answer::new(500, "{}"), |body| Answer::new(200, body.to_string()))
            })
            .await;
            let issuer = server.url("").as_str().trim_end_matches('/').to_owned();
            let issuer = IssuerRule::Exact(IssuerUrl::parse(&issuer, true).unwrap());
            let provider = Provider { issuer, ..test_tokens::provider() };
            let world = Self { server, answers, provider, party: RelyingParty::new(local_client()) };
            world.publish(&[TestKey::Rs256(0)]);
            world
        }

        fn publish(&self, keys: &[TestKey]) {
            self.answers.lock().unwrap().keys = Some(jwks(keys));
        }

        fn claims(&self, time: Time) -> Value {
            let mut claims = test_tokens::claims();
            claims["iss"] = json!(self.server.url("").as_str().trim_end_matches('/'));
            (claims["iat"], claims["exp"]) = (json!(time.timestamp()), json!(time.timestamp() + 300));
            claims
        }

        /// Signs in `seconds` after the start, with a token of `key`.
        async fn sign_in(&self, key: TestKey, seconds: i64) -> Result<VerifiedIdentity, OidcError> {
            let time = now() + TimeDelta::seconds(seconds);
            self.answers.lock().unwrap().id_token = Some(key.token(&self.claims(time)));
            self.exchange(None, time).await
        }

        async fn exchange(&self, issuer: Option<&str>, time: Time) -> Result<VerifiedIdentity, OidcError> {
            let (code, nonce, verifier) = (PlainToken::new("the-code"), nonce(), PlainToken::new("the-verifier"));
            let callback = Callback {
                code: &code,
                issuer,
                redirect_uri: "https://portal.test/portal/sso/test",
                nonce: &nonce,
                verifier: &verifier,
                max_age: None,
            };
            // The handlers of the API need a future that can move between threads.
            let exchange: BoxFuture<'_, _> = Box::pin(self.party.exchange(&self.provider, &callback, time));
            exchange.await
        }

        fn key_requests(&self) -> usize {
            self.server.count("GET /keys")
        }
    }

    #[tokio::test]
    async fn sso_01_a_code_is_exchanged_with_the_verifier_and_a_secret() {
        let world = World::start().await;
        world.party.check(&world.provider).await.unwrap();
        assert_eq!(world.sign_in(TestKey::Rs256(0), 0).await.unwrap().subject, "1");
        let requests = world.server.requests();
        let token = requests.iter().find(|request| request.starts_with("POST /token")).unwrap();
        assert!(token.contains("authorization: Basic cG9ydGljbzpzZWNyZXQ=\r\n"), "{token}");
        let body = "grant_type=authorization_code&code=the-code\
            &redirect_uri=https%3A%2F%2Fportal.test%2Fportal%2Fsso%2Ftest&code_verifier=the-verifier";
        assert!(token.ends_with(body), "{token}");
        let error = world.exchange(Some("https://evil.test"), now()).await.unwrap_err();
        assert_eq!(error, OidcError::Refused("the response is of another issuer"));
        assert_eq!(world.server.count("POST /token"), 1, "the code of another issuer is sent nowhere");
        world.answers.lock().unwrap().id_token = None;
        let error = world.exchange(None, now()).await.unwrap_err();
        assert_eq!(error, OidcError::Refused("the provider sent no ID token"));
        assert_eq!(world.server.count("GET /.well-known"), 2, "the metadata is remembered");
    }

    #[tokio::test]
    async fn sso_09_unknown_keys_cause_one_request_a_minute_and_rotation_is_noticed() {
        let world = World::start().await;
        let (old, new) = (TestKey::Rs256(0), TestKey::Rs256(1));
        world.sign_in(old, 0).await.unwrap();
        world.publish(&[old, new]);
        for second in 1..60 {
            for _ in 0..17 {
                assert!(world.sign_in(new, second).await.is_err());
            }
        }
        assert_eq!(world.key_requests(), 1, "1,000 tokens in a minute");
        world.sign_in(old, 59).await.unwrap();
        world.sign_in(new, 60).await.unwrap();
        assert_eq!(world.key_requests(), 2, "the new key is known after a minute");
        world.answers.lock().unwrap().keys = None;
        let error = world.sign_in(TestKey::Es256, 120).await.unwrap_err();
        assert_eq!(error, OidcError::Refused("the provider has no such key"));
        world.sign_in(old, 121).await.unwrap();
        assert_eq!(world.key_requests(), 3, "the old keys are used although the request has failed");
        world.publish(&[new]);
        world.sign_in(new, 60 + 3_600).await.unwrap();
        assert!(world.sign_in(old, 60 + 3_601).await.is_err(), "a key that was withdrawn");
        assert_eq!(world.key_requests(), 4);
    }

    #[tokio::test]
    async fn sso_09_concurrent_callers_share_a_request_that_a_disconnect_does_not_cancel() {
        let world = World::start().await;
        let token = TestKey::Rs256(0).token(&json!({}));
        let first = world.party.verify_logout_token(&world.provider, &token, now());
        // The first caller disconnects while it waits for the metadata.
        assert!(first.now_or_never().is_none());
        let calls = (0..50).map(|_| world.party.verify_logout_token(&world.provider, &token, now()));
        for outcome in futures_util::future::join_all(calls).await {
            assert_eq!(outcome, Err(OidcError::Refused("the token has another issuer")));
        }
        assert_eq!((world.server.count("GET /.well-known"), world.key_requests()), (1, 1));
    }

    #[tokio::test]
    async fn sso_10_a_provider_that_fails_is_not_asked_again_at_once() {
        let world = World::start().await;
        world.answers.lock().unwrap().keys = None;
        let error = world.sign_in(TestKey::Rs256(0), 0).await.unwrap_err();
        assert_eq!(error, OidcError::Request(OutboundError::Status(500)));
        assert!(error.is_transient());
        assert_eq!(world.sign_in(TestKey::Rs256(0), 1).await, Err(OidcError::NotLoaded));
        world.answers.lock().unwrap().keys = Some(json!({"keys": []}));
        let error = world.sign_in(TestKey::Rs256(0), 10).await.unwrap_err();
        assert_eq!(error, OidcError::Refused("the provider has no key for signatures"));
        world.publish(&[TestKey::Rs256(0)]);
        world.sign_in(TestKey::Rs256(0), 20).await.unwrap();
    }
}
