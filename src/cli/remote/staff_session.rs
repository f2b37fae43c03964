//! The staff session of a profile, for the operations that no API token can do. A mailed code opens it.

use chrono::TimeDelta;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::json;
use tokio::sync::Mutex;

use super::{
    answer::Answer,
    api_client::{ApiClient, Credentials},
    api_request::ApiRequest,
    failure::{Failure, Result},
    profile::{Profile, ProfileFile, StoredSession},
    terminal,
    time::now,
};
use crate::cli::text;

/// An access token that expires within this time is not used, because the request needs some time.
const MIN_LIFETIME: TimeDelta = TimeDelta::seconds(10);
/// The end of the name of the cookie of a known device.
const DEVICE_COOKIE: &str = "portico_device";
/// The longest lifetime of a session that a server can have.
const MAX_LIFETIME: TimeDelta = TimeDelta::days(366);
/// How often a code may be typed.
const MAX_TRIES: u32 = 3;

/// The staff session of a profile.
pub(super) struct StaffSession {
    file: ProfileFile,
    profile: Mutex<Profile>,
}

/// The answer to a right code.
#[derive(Deserialize)]
pub(super) struct SignedIn {
    access_token: String,
    #[serde(deserialize_with = "lifetime")]
    expires_in: TimeDelta,
    /// The staff user.
    pub(super) user: SignedInUser,
}

/// The staff user of a session.
#[derive(Deserialize)]
pub(super) struct SignedInUser {
    /// The address.
    pub(super) email: String,
    /// The role.
    pub(super) role: String,
}

/// Reads a number of seconds.
fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeDelta, D::Error> {
    let lifetime = TimeDelta::try_seconds(i64::deserialize(deserializer)?);
    let lifetime = lifetime.filter(|lifetime| (TimeDelta::zero()..=MAX_LIFETIME).contains(lifetime));
    lifetime.ok_or_else(|| D::Error::custom("expires_in is no lifetime of a session"))
}

impl SignedIn {
    /// Returns what a profile keeps of the session.
    pub(super) fn stored(&self) -> StoredSession {
        let expires_at = now() + self.expires_in;
        StoredSession { access_token: self.access_token.clone(), expires_at }
    }
}

impl StaffSession {
    /// Returns the session of a profile. Sends no request.
    pub(super) fn new(file: ProfileFile, profile: Profile) -> Self {
        Self { file, profile: Mutex::new(profile) }
    }

    /// Sends a request with the session. Asks for a mailed code if there is no session, if it has ended, and if the
    /// operation needs a fresh one.
    ///
    /// # Errors
    /// As for [`ApiClient::send`], and a failure with the exit code 4 if a code is needed and there is no terminal.
    pub(super) async fn call(&self, client: &ApiClient, request: &ApiRequest) -> Result<Answer> {
        let mut profile = self.profile.lock().await;
        let stored = profile.session.clone().filter(|session| session.expires_at > now() + MIN_LIFETIME);
        let is_new = stored.is_none();
        let session = match stored {
            Some(session) => session,
            None => self.sign_in(client, &mut profile, None).await?,
        };
        let session = match client.send(request, Credentials::bearer(&session.access_token)).await {
            Err(failure) if failure.has_code("step_up_required") => {
                self.sign_in(client, &mut profile, Some(&session)).await?
            }
            Err(failure) if failure.is_unauthenticated() && !is_new => self.sign_in(client, &mut profile, None).await?,
            answer => return answer,
        };
        client.send(request, Credentials::bearer(&session.access_token)).await
    }

    /// Signs in with a code and stores the session. If there is a session, it becomes fresh and stays the same one.
    async fn sign_in(
        &self,
        client: &ApiClient,
        profile: &mut Profile,
        fresh: Option<&StoredSession>,
    ) -> Result<StoredSession> {
        if !terminal::is_interactive() {
            return Err(Failure::refused(
                "an API token cannot do this: it needs a staff session, which a mailed code opens, and there is no \
                 terminal to type the code",
            ));
        }
        let email = match profile.email.clone() {
            Some(email) => email,
            None => terminal::ask("This needs a staff session. Address of your staff account: ").await?,
        };
        let code = CodeSignIn { client, email: &email, device: profile.device.clone() };
        let (signed_in, device) = code.run(fresh).await?;
        let session = signed_in.stored();
        profile.email = Some(email);
        profile.device = device.or(profile.device.take());
        profile.session = Some(session.clone());
        self.file.write(profile)?;
        Ok(session)
    }
}

/// A sign-in with a mailed code.
pub(super) struct CodeSignIn<'a> {
    /// The client of the server.
    pub(super) client: &'a ApiClient,
    /// The address of the staff user.
    pub(super) email: &'a str,
    /// The cookie that makes this machine a known device.
    pub(super) device: Option<String>,
}

/// The answer to the request for a code.
#[derive(Deserialize)]
struct CodeSent {
    flow: String,
}

impl CodeSignIn<'_> {
    /// Requests a code, asks for it, and returns the session and the cookie of the known device, if there is a new one.
    /// With `fresh`, that session becomes fresh in place of a new one.
    ///
    /// # Errors
    /// As for [`ApiClient::send`]. The code may be typed three times.
    pub(super) async fn run(&self, fresh: Option<&StoredSession>) -> Result<(SignedIn, Option<String>)> {
        let send = ApiRequest::post("/api/staff/auth/send-code").json(&json!({ "email": self.email }));
        let bearer = fresh.map(|session| session.access_token.as_str());
        let credentials = Credentials { bearer: None, device: self.device.as_deref() };
        let sent: CodeSent = self.client.send(&send, credentials).await?.parse()?;
        terminal::note(format!("A sign-in code was requested for {}. It arrives by mail.", text::clean(self.email)));
        let path = if fresh.is_some() { "/api/staff/auth/step-up" } else { "/api/staff/auth/verify-code" };
        let credentials = Credentials { bearer, device: self.device.as_deref() };
        let mut tries = 1;
        loop {
            let code = self.ask_for_code().await?;
            let verify = ApiRequest::post(path).json(&json!({ "flow": sent.flow, "code": code }));
            match self.client.send(&verify, credentials).await {
                Ok(answer) => {
                    let device = answer.cookies.iter().find(|cookie| is_device(cookie)).cloned();
                    return Ok((answer.parse()?, device));
                }
                Err(failure) if failure.has_code("invalid_code") && tries < MAX_TRIES => {
                    terminal::note("The code is wrong or has expired.");
                    tries += 1;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Asks until six digits are typed, which may have spaces or hyphens between them.
    async fn ask_for_code(&self) -> Result<String> {
        loop {
            let typed = terminal::ask("Code: ").await?;
            let code: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
            if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) {
                return Ok(code);
            }
            terminal::note("A code has six digits.");
        }
    }
}

fn is_device(cookie: &str) -> bool {
    cookie.split_once('=').is_some_and(|(name, value)| name.ends_with(DEVICE_COOKIE) && !value.is_empty())
}

/// Ends a session, if its access token is still valid.
///
/// # Errors
/// As for [`ApiClient::send`].
pub(super) async fn sign_out(client: &ApiClient, session: &StoredSession) -> Result<()> {
    if session.expires_at <= now() {
        return Ok(());
    }
    let request = ApiRequest::post("/api/staff/auth/sign-out");
    client.send(&request, Credentials::bearer(&session.access_token)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_time_that_a_session_can_have() {
        let signed_in = |seconds: &str| {
            let text = format!(r#"{{"access_token":"x","expires_in":{seconds},"user":{{"email":"x","role":"x"}}}}"#);
            serde_json::from_str::<SignedIn>(&text)
        };
        assert!(signed_in("600").is_ok_and(|signed_in| signed_in.stored().expires_at > now()));
        for seconds in ["-1", "31622401", "9223372036854775807", "-9223372036854775808", "1e30", "null"] {
            assert!(signed_in(seconds).is_err(), "{seconds}");
        }
    }
}
