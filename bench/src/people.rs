//! The people whom the figures need, made as they come about in life: invited, mailed, activated.

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

/// How long a mail may take while a figure is being set up.
const MAIL_WITHIN: Duration = Duration::from_secs(60);
/// How many people activate at once: enough for all cores, few enough for the hashing pool.
const AT_ONCE: usize = 4;

/// Staff who may invite, and the client to which they do.
pub(crate) struct Tenant {
    token: String,
    invite: String,
}

/// Somebody with a password, signed in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) token: String,
}

impl Person {
    /// What they sign in with.
    pub(crate) fn credentials(&self) -> Value {
        json!({ "email": self.email, "password": self.password })
    }
}

impl Tenant {
    /// A tenant with an owner and one client. Needs a running worker.
    pub(crate) async fn new(world: &World, api: &Api) -> Result<Self> {
        world.run(&["tenant", "add", "--slug", "acme", "--name", "Acme"])?;
        world.run(&["staff", "add", "--tenant", "acme", "--email", "owner@acme.test", "--role", "owner"])?;
        let (mut client, asked) = (api.client(0), Instant::now());
        let body = json!({ "email": "owner@acme.test" });
        let flow = client.post("/api/staff/auth/send-code", None, body).await?;
        let mail = world.mailbox.wait("owner@acme.test", asked, MAIL_WITHIN).await?;
        let body = json!({ "flow": flow["flow"], "code": mail.secret });
        let session = client.post("/api/staff/auth/verify-code", None, body).await?;
        let token = text(&session["access_token"])?;
        let made = client.post("/api/v1/clients", Some(&token), json!({ "name": "Blue Harbour" })).await?;
        let invite = format!("/api/v1/clients/{}/portal-user", text(&made["id"])?);
        Ok(Self { token, invite })
    }

    /// The request that invites somebody.
    pub(crate) fn invitation(&self, client: &Client, email: &str) -> Vec<u8> {
        let body = json!({ "email": email, "name": "Robin Miller" });
        client.request("POST", &self.invite, Some(&self.token), Some(&body))
    }

    /// Invites `count` people who never open their mail, and returns their addresses.
    pub(crate) async fn invited(&self, api: &Api, name: &str, count: usize) -> Result<Vec<String>> {
        let emails: Vec<String> = (0..count).map(|n| format!("{name}-{n}@x.test")).collect();
        let mut tasks = JoinSet::new();
        let share = count.div_ceil(AT_ONCE * 4).max(1);
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
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(emails)
    }

    /// Makes `count` people who have activated. Needs a running worker.
    pub(crate) async fn people(&self, world: &World, api: &Api, name: &str, count: usize) -> Result<Vec<Person>> {
        let asked = Instant::now();
        let emails = self.invited(api, name, count).await?;
        let mut people = Vec::with_capacity(count);
        for emails in emails.chunks(AT_ONCE) {
            let mut tasks = JoinSet::new();
            for email in emails {
                let (mailbox, mut client, email) = (world.mailbox.clone(), api.client(people.len()), email.clone());
                tasks.spawn(async move {
                    let mail = mailbox.wait(&email, asked, MAIL_WITHIN).await?;
                    let password = "quartz-lantern-41".to_owned();
                    let body = json!({ "token": mail.secret, "password": password });
                    let session = activate(&mut client, body).await?;
                    anyhow::Ok(Person { email, password, token: text(&session["access_token"])? })
                });
            }
            while let Some(done) = tasks.join_next().await {
                people.push(done??);
            }
        }
        Ok(people)
    }
}

/// A slow machine's hashing pool turns some away at first, and asks them to come again.
async fn activate(client: &mut Client, body: Value) -> Result<Value> {
    let request = client.request("POST", "/api/portal/auth/activate", None, Some(&body));
    loop {
        let answer = client.send(&request).await?;
        if answer.status != 503 {
            return answer.json().context("activating");
        }
        sleep(Duration::from_secs(1)).await;
    }
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).context("an answer without what it should hold")
}
