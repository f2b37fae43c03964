//! Creates the users that the figures need, through the API and by mail: invited, mailed, activated.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    http::Client,
    world::{Api, World},
};

/// How long to wait for a mail while users are created.
const MAIL_TIMEOUT: Duration = Duration::from_secs(60);
/// How many portal users activate at the same time: enough for all cores, and few enough for the hashing pool.
const CONCURRENT_ACTIVATIONS: usize = 4;
/// How many clients send invitations at the same time.
const CONCURRENT_INVITATIONS: usize = 16;

/// A tenant with one client, and a staff user who may invite portal users to that client.
pub(crate) struct Tenant {
    /// The access token of the staff user.
    token: String,
    /// The path of the operation that invites a portal user to the client.
    invite_path: String,
    /// The path of the operation that invites many portal users to the client.
    bulk_path: String,
}

/// A portal user with a password and a session.
#[derive(Clone)]
pub(crate) struct PortalUser {
    /// The email address.
    pub(crate) email: String,
    /// The password.
    pub(crate) password: String,
    /// The access token of the session.
    pub(crate) token: String,
}

impl PortalUser {
    /// Returns the body of a sign-in request.
    pub(crate) fn credentials(&self) -> Value {
        json!({ "email": self.email, "password": self.password })
    }
}

impl Tenant {
    /// Creates the tenant `acme` with an owner and one client. Needs a running worker, because the owner signs in by
    /// mail.
    pub(crate) async fn new(world: &World, api: &Api) -> Result<Self> {
        world.run(&["tenant", "add", "--slug", "acme", "--name", "Acme"])?;
        world.run(&["staff", "add", "--tenant", "acme", "--email", "owner@acme.test", "--role", "owner"])?;
        let (mut client, requested_at) = (api.client(0), Instant::now());
        let body = json!({ "email": "owner@acme.test" });
        let flow = client.post("/api/staff/auth/send-code", None, body).await?;
        let mail = world.mailbox.wait("owner@acme.test", requested_at, MAIL_TIMEOUT).await?;
        let body = json!({ "flow": flow["flow"], "code": mail.secret });
        let session = client.post("/api/staff/auth/verify-code", None, body).await?;
        let token = text(&session["access_token"])?;
        let created = client.post("/api/v1/clients", Some(&token), json!({ "name": "Blue Harbour" })).await?;
        let path = format!("/api/v1/clients/{}", text(&created["id"])?);
        let (invite_path, bulk_path) = (format!("{path}/portal-user"), format!("{path}/invitations/bulk"));
        Ok(Self { token, invite_path, bulk_path })
    }

    /// Returns the access token of the staff user.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Returns the id of the client.
    pub(crate) fn client(&self) -> &str {
        self.invite_path.split('/').nth(4).unwrap_or_default()
    }

    /// Returns the access token of the staff user.
    pub(crate) fn access_token(&self) -> &str {
        &self.token
    }

    /// Creates a personal access token of the staff user, which reads clients.
    pub(crate) async fn create_api_token(&self, api: &Api) -> Result<String> {
        let body = json!({ "name": "bench", "scopes": ["clients:read"] });
        let created = api.client(0).post("/api/staff/tokens", Some(&self.token), body).await?;
        text(&created["token"])
    }

    /// Returns the request that invites a portal user with the address `email`.
    pub(crate) fn invitation(&self, client: &Client, email: &str) -> Vec<u8> {
        let body = json!({ "email": email, "name": "Robin Miller" });
        client.request("POST", &self.invite_path, Some(&self.token), Some(&body))
    }

    /// Returns the request that invites the portal users of these rows.
    pub(crate) fn bulk_invitation(&self, client: &Client, rows: Vec<Value>) -> Vec<u8> {
        client.request("POST", &self.bulk_path, Some(&self.token), Some(&json!({ "rows": rows })))
    }

    /// Invites `count` portal users with the addresses `<name>-<n>@x.test`, and returns the addresses.
    pub(crate) async fn invite(&self, api: &Api, name: &str, count: usize) -> Result<Vec<String>> {
        let emails: Vec<String> = (0..count).map(|n| format!("{name}-{n}@x.test")).collect();
        let mut tasks = JoinSet::new();
        let share = count.div_ceil(CONCURRENT_INVITATIONS).max(1);
        for (n, emails) in emails.chunks(share).enumerate() {
            let mut client = api.client(n);
            let requests: Vec<_> = emails.iter().map(|email| self.invitation(&client, email)).collect();
            tasks.spawn(async move {
                for request in requests {
                    client.send(&request).await?.json()?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(sent) = tasks.join_next().await {
            sent??;
        }
        Ok(emails)
    }

    /// Creates `count` portal users who have activated and signed in. Needs a running worker.
    pub(crate) async fn users(&self, world: &World, api: &Api, name: &str, count: usize) -> Result<Vec<PortalUser>> {
        let requested_at = Instant::now();
        let emails = self.invite(api, name, count).await?;
        let mut users = Vec::with_capacity(count);
        for emails in emails.chunks(CONCURRENT_ACTIVATIONS) {
            let mut tasks = JoinSet::new();
            for email in emails {
                let (mailbox, mut client, email) = (world.mailbox.clone(), api.client(users.len()), email.clone());
                tasks.spawn(async move {
                    let mail = mailbox.wait(&email, requested_at, MAIL_TIMEOUT).await?;
                    let password = "quartz-lantern-41".to_owned();
                    let body = json!({ "token": mail.secret, "password": password });
                    let session = activate(&mut client, body).await?;
                    anyhow::Ok(PortalUser { email, password, token: text(&session["access_token"])? })
                });
            }
            while let Some(user) = tasks.join_next().await {
                users.push(user??);
            }
        }
        Ok(users)
    }
}

/// Activates a portal user and returns the session. Repeats the request each second while the response is 503, because
/// the hashing pool of a slow machine rejects some requests.
async fn activate(client: &mut Client, body: Value) -> Result<Value> {
    let request = client.request("POST", "/api/portal/auth/activate", None, Some(&body));
    loop {
        let response = client.send(&request).await?;
        if response.status != 503 {
            return response.json().context("cannot activate a portal user");
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// Returns the text of a field of a response.
fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).context("a response lacks an expected field")
}
