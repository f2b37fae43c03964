//! `/api/staff/cli-logins`: logins of the command line in a browser.

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use portico_domain::{
    identity::cli_logins::{self, CliLogin, CodeChallenge, CodeVerifier, LoginState},
    platform::{
        actor::{Permission, Scopes},
        app::App,
        name::Name,
        secret::PlainToken,
    },
};

use crate::{
    http::{
        auth::{Anonymous, FreshStaffUser},
        body::Body,
        error::{ApiResult, codes, limit},
        fields::Field,
        response::Created,
        tags::Tag,
    },
    tenancy::api_tokens::{CreatedApiToken, TokenScope},
};

/// The operations of the tag `api tokens` on logins of the command line.
pub(crate) struct CliLogins;

/// A login of the command line that the staff user approves. The values come from the address of the approval page,
/// which any program or page can have opened.
#[derive(Object)]
struct ApproveCliLogin {
    /// The port of the browser's machine on which the program listens: 1024 to 65535.
    #[oai(validator(minimum(value = "1024"), maximum(value = "65535")))]
    port: u16,
    /// A random text of the program, which the answer repeats: 16 to 128 letters, digits, `-` and `_`.
    state: Field<LoginState>,
    /// The SHA-256 hash of the program's secret, in base64url without padding (RFC 7636, `S256`).
    code_challenge: Field<CodeChallenge>,
    /// The name of the API token, 1 to 100 characters.
    name: Field<Name>,
    /// The permissions that the API token may use. The role of the staff user must give each of them.
    #[oai(validator(min_items = 1, max_items = 20))]
    scopes: Vec<TokenScope>,
}

/// A login of the command line that was approved.
#[derive(Object)]
struct ApprovedCliLogin {
    /// Where the browser goes: a URL of the literal address 127.0.0.1 at the given port, with the query parameters
    /// `code` and `state`.
    redirect_to: String,
}

/// The code of an approved login and the secret of the program.
#[derive(Object)]
struct ExchangeCliLogin {
    /// The code that the browser has brought.
    code: Field<PlainToken>,
    /// The secret whose hash was approved: 43 to 128 letters, digits, `-`, `.`, `_` and `~` (RFC 7636 §4.1).
    code_verifier: Field<CodeVerifier>,
}

impl From<ApproveCliLogin> for CliLogin {
    fn from(body: ApproveCliLogin) -> Self {
        let permissions: Vec<_> = body.scopes.into_iter().map(Permission::from).collect();
        Self {
            port: body.port,
            state: body.state.0,
            challenge: body.code_challenge.0,
            name: body.name.0,
            scopes: Scopes::new(&permissions),
        }
    }
}

#[OpenApi(prefix_path = "/api/staff/cli-logins", tag = "Tag::ApiTokens")]
impl CliLogins {
    /// Approve a login of the command line
    ///
    /// Returns the URL by which the browser brings a code to the program that waits for it on the same machine. The
    /// code can be exchanged once within 60 seconds, and only as long as the current session lives. The response is 422
    /// with the field code `scope_not_allowed` if the role of the staff user does not give one of the scopes.
    #[oai(path = "/", method = "post", operation_id = "approve_cli_login")]
    async fn approve(
        &self,
        Data(app): Data<&App>,
        caller: FreshStaffUser,
        Body(body): Body<ApproveCliLogin>,
    ) -> ApiResult<Created<ApprovedCliLogin>, 0> {
        let redirect_to = cli_logins::approve(app, &caller, body.into()).await?.into();
        Ok(Created(ApprovedCliLogin { redirect_to }))
    }

    /// Exchange the code of a login
    ///
    /// Creates the personal access token of an approved login. It is valid for 90 days, and the staff user gets a
    /// notice by mail. The response is 401 `invalid_code` if the code is unknown, used or expired, if the secret is
    /// another one, if the session in which the login was approved has ended, or if the role of the staff user no
    /// longer gives the scopes. It is 409 `conflict` if the staff user has 100 tokens.
    #[oai(path = "/exchange", method = "post", operation_id = "exchange_cli_login")]
    async fn exchange(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<ExchangeCliLogin>,
    ) -> ApiResult<Created<CreatedApiToken>, { codes::INVALID_CODE | codes::CONFLICT | limit::TOKEN_NETWORK }> {
        let token = cli_logins::exchange(app, &caller, &body.code.0, &body.code_verifier.0).await?;
        Ok(Created(token.into()))
    }
}
