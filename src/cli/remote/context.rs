//! What every command of `portico remote` needs: the server, the credential and how to print.

use std::time::Duration;

use super::{
    answer::Answer,
    api_client::{ApiClient, Credentials, Stream},
    api_request::ApiRequest,
    environment::RemoteEnvironment,
    failure::{Failure, Result},
    output::Output,
    profile::{Profile, ProfileFile},
    server_url::ServerUrl,
    staff_session::StaffSession,
};

/// The options and the environment of a command.
pub(super) struct Context {
    /// The profile that `--profile` names.
    pub(super) profile: Option<String>,
    /// How long a request may take.
    pub(super) timeout: Duration,
    /// How results are printed.
    pub(super) output: Output,
    /// The environment variables.
    pub(super) environment: RemoteEnvironment,
}

impl Context {
    /// Returns the file of the profile: of `--profile`, else of `PORTICO_REMOTE_PROFILE`, else of `default`.
    ///
    /// # Errors
    /// A failure with the exit code 2 if the name is not valid or no folder is known.
    pub(super) fn profile_file(&self) -> Result<ProfileFile> {
        let name = self.profile.as_ref().or(self.environment.profile.as_ref());
        let name = name.map_or("default", |name| name.as_str());
        let name = super::profile::parse_name(name)
            .map_err(|problem| Failure::usage(format!("PORTICO_REMOTE_PROFILE {problem}")))?;
        Ok(ProfileFile::new(self.environment.profile_folder()?, name))
    }

    /// Returns the stored login.
    ///
    /// # Errors
    /// A failure with the exit code 4 if there is none or if other users can read it.
    pub(super) fn stored_login(&self) -> Result<(ProfileFile, Profile)> {
        let file = self.profile_file()?;
        match file.read()? {
            Some(profile) => Ok((file, profile)),
            None => Err(Failure::refused(format!(
                "no login is stored for the profile {}; run: {} https://portal.example.com",
                file.name,
                login_command(&file)
            ))),
        }
    }

    /// Returns a command for a hint. It names the profile, if `--profile` does.
    pub(super) fn command(&self, arguments: &str) -> String {
        match &self.profile {
            Some(profile) => format!("portico remote --profile {profile} {arguments}"),
            None => format!("portico remote {arguments}"),
        }
    }

    /// Returns a client of the server at `url`.
    ///
    /// # Errors
    /// A failure with the exit code 2 if the URL is not valid. `name` says where it comes from.
    pub(super) fn client(&self, name: &str, url: &str) -> Result<ApiClient> {
        let url = ServerUrl::parse(url).map_err(|problem| Failure::usage(format!("{name} {problem}")))?;
        ApiClient::new(url, self.timeout)
    }

    /// Returns the API as the holder of the API token sees it: that of `PORTICO_REMOTE_TOKEN` if it is set, else that
    /// of the profile.
    ///
    /// # Errors
    /// As for [`stored_login`](Self::stored_login), and a failure with the exit code 2 if only one of the variables
    /// `PORTICO_REMOTE_URL` and `PORTICO_REMOTE_TOKEN` is set without a profile to complete it.
    pub(super) fn token_api(&self) -> Result<Api> {
        if let Some(token) = self.environment.token.clone() {
            let url = self.environment.url.as_ref();
            let url =
                url.ok_or_else(|| Failure::usage("PORTICO_REMOTE_TOKEN is set, so set PORTICO_REMOTE_URL too"))?;
            let advice = "The token in PORTICO_REMOTE_TOKEN has expired or was revoked, or is of another server.";
            let client = self.client("PORTICO_REMOTE_URL", url)?;
            check_token("PORTICO_REMOTE_TOKEN", &token)?;
            return Ok(Api { client, caller: Caller::Token { token, advice: advice.into() } });
        }
        let (file, profile) = self.stored_login()?;
        self.check_no_other_url(&profile)?;
        check_token("the stored token", &profile.token)?;
        let advice = format!("The stored token has expired or was revoked. Run: {}", login_command(&file));
        let client = self.client("the URL of the profile", &profile.url)?;
        Ok(Api { client, caller: Caller::Token { token: profile.token, advice } })
    }

    /// Returns the API as a staff session sees it, for the operations that no API token can do. The user signs in with
    /// a mailed code if there is no session.
    ///
    /// # Errors
    /// As for [`stored_login`](Self::stored_login), and a failure with the exit code 4 if the login is an environment
    /// variable.
    pub(super) fn session_api(&self) -> Result<Api> {
        if self.environment.token.is_some() {
            return Err(Failure::refused(
                "an API token cannot do this, and PORTICO_REMOTE_TOKEN is one; unset it and run: portico remote login",
            ));
        }
        let (file, profile) = self.stored_login()?;
        self.check_no_other_url(&profile)?;
        let client = self.client("the URL of the profile", &profile.url)?;
        Ok(Api { client, caller: Caller::Session(Box::new(StaffSession::new(file, profile))) })
    }

    /// A URL in the environment must not be ignored, and the token must not be sent to it.
    fn check_no_other_url(&self, profile: &Profile) -> Result<()> {
        match &self.environment.url {
            Some(url) if url.trim_end_matches('/') != profile.url => Err(Failure::usage(
                "PORTICO_REMOTE_URL is set and is not the URL of the profile; set PORTICO_REMOTE_TOKEN too, or unset it",
            )),
            _ => Ok(()),
        }
    }
}

/// Checks that a token can be sent in a header. `name` says where it comes from.
fn check_token(name: &str, token: &str) -> Result<()> {
    match !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(Failure::refused(format!(
            "{name}: this is not an API token; one begins with pat_ and has 50 characters"
        ))),
    }
}

/// Returns the command that stores a login in this profile.
pub(super) fn login_command(file: &ProfileFile) -> String {
    match file.name.as_str() {
        "default" => "portico remote login".into(),
        name => format!("portico remote login --profile {name}"),
    }
}

/// The API of a server, with a credential.
pub(super) struct Api {
    /// The HTTP client.
    pub(super) client: ApiClient,
    caller: Caller,
}

/// The credential of the requests.
enum Caller {
    /// An API token, and what to do if the server does not accept it.
    Token { token: String, advice: String },
    /// A staff session.
    Session(Box<StaffSession>),
}

impl Api {
    /// Sends a request and returns the answer.
    ///
    /// # Errors
    /// As for [`ApiClient::send`]. If the server does not accept the API token, the failure says what to do.
    pub(super) async fn call(&self, request: &ApiRequest) -> Result<Answer> {
        match &self.caller {
            Caller::Token { token, advice } => {
                let answer = self.client.send(request, Credentials::bearer(token)).await;
                answer.map_err(|failure| failure.with_advice_if_unauthenticated(advice))
            }
            Caller::Session(session) => session.call(&self.client, request).await,
        }
    }

    /// Sends a request and returns its answer as a stream of bytes.
    ///
    /// # Errors
    /// As for [`call`](Self::call); and a failure with the exit code 1 if the credential is a session.
    pub(super) async fn stream(&self, request: &ApiRequest) -> Result<Stream> {
        let Caller::Token { token, advice } = &self.caller else {
            return Err(Failure::failed("a staff session reads no stream"));
        };
        let stream = self.client.stream(request, Credentials::bearer(token)).await;
        stream.map_err(|failure| failure.with_advice_if_unauthenticated(advice))
    }
}
