//! The people of the stories.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::{Browser, World};

/// A name that nothing else in this test run has, and no other run at the same time.
pub(crate) fn unique(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{what}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A password that the policy takes, different each time.
pub(crate) fn password() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("quartz-{}-lantern-{n}-Vb7", std::process::id())
}

/// A tenant, and its owner at a browser.
pub(crate) struct Tenant {
    pub(crate) slug: String,
    pub(crate) owner: Browser,
    pub(crate) owner_email: String,
}

/// A portal user, and where they sit.
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) browser: Browser,
    pub(crate) client: String,
}

impl Tenant {
    /// Makes a client and returns its id.
    pub(crate) async fn client(&self, name: &str) -> String {
        let client = self.owner.post("/api/v1/clients", json!({ "name": name })).await.expect(201);
        client["id"].as_str().unwrap().to_owned()
    }

    /// Invites somebody.
    pub(crate) async fn invite(&self, client: &str, email: &str) -> Value {
        let body = json!({ "email": email, "name": "Robin Miller" });
        self.owner.post(&format!("/api/v1/clients/{client}/portal-user"), body).await.expect(201)
    }

    /// Invites somebody and returns the secret of the link that arrives.
    pub(crate) async fn invited(&self, world: &World, client: &str, email: &str) -> String {
        self.invite(client, email).await;
        world.mail(email, 1).await.token()
    }

    /// Invites somebody, sends again, and returns the secrets of both links.
    pub(crate) async fn invited_twice(&self, world: &World, client: &str, email: &str) -> (String, String) {
        let older = self.invited(world, client, email).await;
        let resend = format!("/api/v1/clients/{client}/portal-user?action=resend");
        let again = self.owner.post(&resend, json!({ "email": email })).await.expect(200);
        assert_eq!((&again["invitation"]["sent_count"], &again["invite_mode"]), (&json!(2), &json!("setup")));
        (older, world.mail(email, 2).await.token())
    }

    /// A person of a new client who has activated and is signed in.
    pub(crate) async fn person(&self, world: &World) -> Person {
        let client = self.client("Acme Ltd").await;
        self.person_at(world, &client).await
    }

    /// A person of `client` who has activated and is signed in.
    pub(crate) async fn person_at(&self, world: &World, client: &str) -> Person {
        let email = format!("{}@x.test", unique("robin"));
        let token = self.invited(world, client, &email).await;
        let (password, browser) = (password(), world.browser());
        let body = json!({ "token": token, "password": password });
        browser.post("/api/portal/auth/activate", body).await.expect(200);
        Person { email, password, browser, client: client.to_owned() }
    }
}

impl Person {
    /// Signs in at another browser.
    pub(crate) async fn sign_in(&self, browser: &Browser) -> Value {
        let body = json!({ "email": self.email, "password": self.password });
        browser.post("/api/portal/auth/sign-in", body).await.expect(200)
    }

    /// Asks for a reset link and returns the secret of the newest, which is the `nth` mail to this address.
    pub(crate) async fn request_reset(&self, world: &World, nth: usize) -> String {
        let asking = world.browser();
        asking.post("/api/portal/auth/forgot-password", json!({ "email": self.email })).await.expect(200);
        world.mail(&self.email, nth).await.token()
    }
}
