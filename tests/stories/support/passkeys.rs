//! Passkeys in the stories: what a page does in a browser that has an authenticator in software.

use serde_json::{Value, json};

use super::{Browser, Response, World, authenticator::SoftAuthenticator};

/// A realm, by the first part of its paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    Portal,
    Staff,
}

/// A ceremony that was started.
#[derive(Clone)]
pub(crate) struct Started {
    /// The secret of the ceremony.
    pub(crate) ceremony: Value,
    /// The options for the authenticator.
    pub(crate) public_key: Value,
}

impl Area {
    /// Both realms.
    pub(crate) const ALL: [Self; 2] = [Self::Portal, Self::Staff];

    fn name(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Staff => "staff",
        }
    }

    /// A path below `/api/portal/auth` or `/api/staff/auth`.
    pub(crate) fn auth(self, path: &str) -> String {
        format!("/api/{}/auth/{path}", self.name())
    }

    /// The passkeys of the signed-in user, or a path below.
    pub(crate) fn passkeys(self, path: &str) -> String {
        format!("/api/{}/passkeys{path}", self.name())
    }
}

impl Started {
    /// The body with `response` as the response to this ceremony.
    pub(crate) fn body(&self, response: &Value) -> Value {
        json!({ "ceremony": self.ceremony, "response": response })
    }

    /// The body with `response`, and with the members of `more`.
    pub(crate) fn body_with(&self, response: &Value, more: Value) -> Value {
        let mut body = self.body(response);
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }
}

impl From<Value> for Started {
    fn from(body: Value) -> Self {
        Self { ceremony: body["ceremony"].clone(), public_key: body["public_key"].clone() }
    }
}

impl World {
    /// The origin of the portal's own pages.
    pub(crate) fn origin(&self) -> String {
        self.env
            .iter()
            .find(|(name, _)| name == "PORTICO_PUBLIC_URL")
            .map_or_else(|| self.apis[0].replace("127.0.0.1", "localhost"), |(_, url)| url.clone())
    }
}

impl Browser {
    /// Starts a ceremony.
    pub(crate) async fn start(&self, path: &str) -> Started {
        self.post_empty(path).await.expect(200).into()
    }

    /// Starts a ceremony with this body.
    pub(crate) async fn start_with(&self, path: &str, body: Value) -> Started {
        self.post(path, body).await.expect(200).into()
    }

    /// Starts a sign-in with a passkey.
    pub(crate) async fn start_passkey_sign_in(&self, area: Area) -> Started {
        self.start_with(&area.auth("passkeys/sign-in-options"), json!({})).await
    }

    /// Registers a passkey with a new authenticator. Returns the authenticator, and the passkey.
    pub(crate) async fn register_passkey(&self, world: &World, area: Area) -> (SoftAuthenticator, Value) {
        self.register_at(world, area, SoftAuthenticator::new()).await
    }

    /// Registers a passkey with this authenticator. Returns the authenticator, and the passkey.
    pub(crate) async fn register_at(
        &self,
        world: &World,
        area: Area,
        mut authenticator: SoftAuthenticator,
    ) -> (SoftAuthenticator, Value) {
        let started = self.start(&area.passkeys("/register-options")).await;
        let response = authenticator.create(&started.public_key, &world.origin());
        let body = started.body_with(&response, json!({ "name": "Laptop" }));
        let passkey = self.post(&area.passkeys("/register"), body).await.expect(201);
        (authenticator, passkey)
    }

    /// Signs in with a passkey.
    pub(crate) async fn sign_in_with_passkey(
        &self,
        world: &World,
        area: Area,
        authenticator: &mut SoftAuthenticator,
    ) -> Response {
        let started = self.start_passkey_sign_in(area).await;
        let response = authenticator.get(&started.public_key, &world.origin());
        self.post(&area.auth("passkeys/sign-in"), started.body(&response)).await
    }

    /// The passkeys of the signed-in user.
    pub(crate) async fn passkeys(&self, area: Area) -> Vec<Value> {
        let list = self.get(&area.passkeys("?limit=100")).await.expect(200);
        list["data"].as_array().unwrap().clone()
    }

    /// Removes a passkey.
    pub(crate) async fn remove_passkey(&self, area: Area, passkey: &Value) -> Response {
        self.delete(&area.passkeys(&format!("/{}", passkey["id"].as_str().unwrap()))).await
    }
}
