//! The tenants, staff users and portal users of the stories.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::{Browser, World, credentials, paths};

/// Returns a name that nothing else in this test run has, nor in another run at the same time.
pub(crate) fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{prefix}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Returns an address that nothing else in this test run has.
pub(crate) fn unique_email(prefix: &str) -> String {
    format!("{}@x.test", unique(prefix))
}

/// Returns a password that the policy accepts, a different one each time.
pub(crate) fn password() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("quartz-{}-lantern-{n}-Vb7", std::process::id())
}

/// A tenant and the browser of its owner, who is signed in.
pub(crate) struct Tenant {
    pub(crate) slug: String,
    pub(crate) owner: Browser,
    pub(crate) owner_email: String,
}

/// A portal user who has activated the account, and the browser in which they did.
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) browser: Browser,
    /// The id of the client that they belong to.
    pub(crate) client: String,
}

/// A pending invitation of a new address to a new client.
pub(crate) struct Invitation {
    /// The id of the client.
    pub(crate) client: String,
    pub(crate) email: String,
    /// The link token of the invitation mail.
    pub(crate) token: String,
}

impl Tenant {
    /// Creates a client and returns its id.
    pub(crate) async fn client(&self, name: &str) -> String {
        let client = self.owner.post(paths::CLIENTS, json!({ "name": name })).await.expect(201);
        client["id"].as_str().unwrap().to_owned()
    }

    /// Invites `email` to a client and returns the body of the response.
    pub(crate) async fn invite(&self, client: &str, email: &str) -> Value {
        let body = json!({ "email": email, "name": "Robin Miller" });
        self.owner.post(&paths::portal_user(client), body).await.expect(201)
    }

    /// Invites `email` to a client and returns the link token of the mail.
    pub(crate) async fn invite_for_token(&self, world: &World, client: &str, email: &str) -> String {
        self.invite(client, email).await;
        world.mail(email, 1).await.token()
    }

    /// Invites an address that has got mails before, and returns the link token of the mail, which is the `nth` to this
    /// address.
    pub(crate) async fn invite_again_for_token(&self, world: &World, client: &str, email: &str, nth: usize) -> String {
        self.invite(client, email).await;
        world.mail(email, nth).await.token()
    }

    /// Returns what the tenant sees of the portal user with this address at a client.
    pub(crate) async fn member(&self, client: &str, email: &str) -> Value {
        let path = format!("{}?q={email}", paths::client_portal_users(client));
        let found = self.owner.get(&path).await.expect(200);
        assert_eq!(found["data"].as_array().unwrap().len(), 1, "{found}");
        found["data"][0].clone()
    }

    /// Returns the path of the portal user with this address at a client.
    pub(crate) async fn member_path(&self, client: &str, email: &str) -> String {
        paths::member(client, self.member(client, email).await["id"].as_str().unwrap())
    }

    /// Creates a client and invites a new address to it.
    pub(crate) async fn create_invitation(&self, world: &World) -> Invitation {
        let client = self.client("Acme Ltd").await;
        let email = unique_email("ann");
        let token = self.invite_for_token(world, &client, &email).await;
        Invitation { client, email, token }
    }

    /// Invites `email`, sends the invitation again, and returns the link tokens of both mails, the older first.
    pub(crate) async fn invite_and_resend(&self, world: &World, client: &str, email: &str) -> (String, String) {
        let older = self.invite_for_token(world, client, email).await;
        let resend = paths::resend_invitation(client);
        let resent = self.owner.post(&resend, json!({ "email": email })).await.expect(200);
        assert_eq!((&resent["invitation"]["sent_count"], &resent["invite_mode"]), (&json!(2), &json!("setup")));
        (older, world.mail(email, 2).await.token())
    }

    /// Creates a client and a portal user of it, who is signed in.
    pub(crate) async fn person(&self, world: &World) -> Person {
        let client = self.client("Acme Ltd").await;
        self.person_at(world, &client).await
    }

    /// Creates a client and a portal user of it, who is signed in at one of these APIs.
    pub(crate) async fn person_with(&self, world: &World, apis: &[String]) -> Person {
        let client = self.client("Acme Ltd").await;
        self.activated(world, &client, world.browser().at(apis)).await
    }

    /// Creates a portal user of `client`, who is signed in.
    pub(crate) async fn person_at(&self, world: &World, client: &str) -> Person {
        self.activated(world, client, world.browser()).await
    }

    /// Creates an administrator of `client`, who is signed in.
    pub(crate) async fn admin_at(&self, world: &World, client: &str) -> Person {
        let email = unique_email("admin");
        let body = json!({ "email": email, "name": "Alex Admin", "role": "admin" });
        self.owner.post(&paths::portal_user(client), body).await.expect(201);
        let (token, browser, password) = (world.mail(&email, 1).await.token(), world.browser(), password());
        browser.activate(&token, &password).await.expect(200);
        Person { email, password, browser, client: client.to_owned() }
    }

    /// Invites a new address to `client` and activates the account in `browser`.
    async fn activated(&self, world: &World, client: &str, browser: Browser) -> Person {
        let email = unique_email("robin");
        let token = self.invite_for_token(world, client, &email).await;
        let password = password();
        browser.activate(&token, &password).await.expect(200);
        Person { email, password, browser, client: client.to_owned() }
    }
}

impl Person {
    /// The body of this portal user's sign-in.
    pub(crate) fn credentials(&self) -> Value {
        credentials(&self.email, &self.password)
    }

    /// Signs in at another browser.
    pub(crate) async fn sign_in(&self, browser: &Browser) -> Value {
        browser.sign_in(&self.email, &self.password).await.expect(200)
    }

    /// Requests a reset link and returns its link token. It is the `nth` mail to this address.
    pub(crate) async fn request_reset(&self, world: &World, nth: usize) -> String {
        world.browser().forgot_password(&self.email).await.expect(200);
        world.mail(&self.email, nth).await.token()
    }
}
