//! Mailed links: checking and replacing them, activating an account and accepting an invitation with one.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};
use portico_domain::{
    entity::{SessionId, link_token},
    identity::{
        activation::{self, ActivateInput, FirstCredential},
        link_tokens::{self, LinkInfo},
        not_me,
    },
    platform::{
        app::App,
        email_address::EmailAddress,
        error::Error,
        name::Name,
        secret::{Password, PlainToken},
    },
};

use crate::{
    http::{
        auth::{Anonymous, Portal, PortalUser, ReplacedSession},
        body::Body,
        error::{ApiResult, codes, limit},
        fields::Field,
        nullable::Nullable,
        rate_limit::RateLimits,
        response::{Accepted, NoContent, WithCookies, accepted},
        tags::Tag,
    },
    identity::{
        ceremonies::NewPasskey,
        views::{self, SignInResult},
    },
    tenancy::views::TenantContactView,
};

/// The operations of the tag `link tokens`.
pub(crate) struct LinkTokens;

/// The token of a mailed link.
#[derive(Object)]
struct LinkToken {
    /// The link token: the text after `#token=` in the mailed URL (43 characters of base64url).
    token: Field<PlainToken>,
}

/// What a live link is for, and which portal user it belongs to.
#[derive(Object)]
struct CheckedLink {
    /// What the link can be used for.
    purpose: LinkPurpose,
    /// The email address of the portal user.
    email: String,
    /// The name of the portal user: the name in the invitation or, for the other purposes, the name in the profile.
    name: String,
    /// The name of the client that the invitation is for; `null` for the other purposes.
    client_name: Nullable<String>,
    /// The tenant that the mail of the link shows; `null` if the portal user belongs to several tenants or to none, and
    /// the link is for no invitation.
    tenant: Nullable<TenantContactView>,
    /// When the link expires (RFC 3339, UTC).
    expires_at: DateTime<Utc>,
}

/// What a link can be used for.
///
/// - `activation`: set the first password, or add the first passkey, with `activate_account`.
/// - `reset`: set a new password with `reset_password`.
/// - `accept`: sign in and join the client with `accept_invitation`.
/// - `not_me`: report a sign-in from an unknown device with `report_sign_in`.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum LinkPurpose {
    /// Set the first password.
    Activation,
    /// Set a new password.
    Reset,
    /// Join a client as a portal user who has a password.
    Accept,
    /// Report a sign-in from an unknown device.
    NotMe,
}

/// An activation link, and the first password or the first passkey of the account. Exactly one of `password` and
/// `passkey` is given.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Activate {
    /// The link token: the text after `#token=` in the mailed URL (43 characters of base64url).
    token: Field<PlainToken>,
    /// The first password. By default it must have 8 to 128 characters and be hard to guess; otherwise the response is
    /// 422 with the field code `password_too_short`, `password_too_long` or `password_weak`.
    password: Option<Field<Password>>,
    /// The passkey that the browser has made with the options of `start_passkey_activation`.
    passkey: Option<NewPasskey>,
    /// The name of the portal user, 1 to 100 characters. If it is absent, the name that the tenant entered stays.
    name: Option<Field<Name>>,
}

/// The address to mail an activation link to.
#[derive(Object)]
struct ResendActivation {
    /// The email address of the invited person.
    email: Field<EmailAddress>,
}

impl Activate {
    /// Returns the input of the use case.
    ///
    /// # Errors
    /// `validation_failed` unless exactly one of the credentials is given.
    fn input(self, replaces: Option<SessionId>) -> Result<ActivateInput, Error> {
        let credential = match (self.password, self.passkey) {
            (Some(Field(password)), None) => FirstCredential::Password(password),
            (None, Some(passkey)) => {
                let (presented, name) = passkey.into_parts();
                FirstCredential::Passkey(presented, name)
            }
            (None, None) => return Err(Error::invalid("/password", "required", "or `passkey` must be given")),
            (Some(_), Some(_)) => {
                return Err(Error::invalid("/passkey", "credential_invalid", "must not be given with `password`"));
            }
        };
        let name = self.name.map(|Field(name)| name);
        Ok(ActivateInput { token: self.token.0, credential, name, replaces })
    }
}

impl From<LinkInfo> for CheckedLink {
    fn from(link: LinkInfo) -> Self {
        Self {
            purpose: match link.purpose {
                link_token::Purpose::Activation => LinkPurpose::Activation,
                link_token::Purpose::Reset => LinkPurpose::Reset,
                link_token::Purpose::Accept => LinkPurpose::Accept,
                link_token::Purpose::NotMe => LinkPurpose::NotMe,
            },
            email: link.email,
            name: link.name,
            client_name: Nullable(link.client_name),
            tenant: Nullable(link.tenant.map(Into::into)),
            expires_at: link.expires_at,
        }
    }
}

#[OpenApi(prefix_path = "/api/portal", tag = "Tag::LinkTokens")]
impl LinkTokens {
    /// Check a mailed link
    ///
    /// Returns what the link is for. The link stays unused, so a page can call this before it shows a form.
    #[oai(path = "/auth/check-token", method = "post", operation_id = "check_token")]
    async fn check_token(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<LinkToken>,
    ) -> ApiResult<Json<CheckedLink>, { codes::LINK_TOKEN | limit::TOKEN_NETWORK }> {
        Ok(Json(link_tokens::check(app, &caller, &body.token.0).await?.into()))
    }

    /// Activate an account
    ///
    /// Sets the first password or adds the first passkey, accepts the invitation and signs in. The link cannot be
    /// used again. The session that the browser already has is revoked. The user's other pending invitations of the
    /// same tenant are accepted too.
    ///
    /// If the tenant requires a second factor at once, the response is a challenge and sets no cookie:
    /// `complete_enrolment` then opens the session.
    ///
    /// If the password is rejected, the link stays valid. If the user has already activated the account, the
    /// response is `token_revoked`. If the tenant does not allow passwords or passkeys, it is `invalid_credentials`.
    ///
    /// With a `passkey`, the account has no password: `forgot_password` can set one later. The response is
    /// `invalid_code` for a ceremony that is unknown, used, expired or of another link, and for a response that is
    /// refused, and 409 `conflict` if the passkey is registered already. The link stays valid then.
    #[oai(path = "/auth/activate", method = "post", operation_id = "activate_account")]
    async fn activate(
        &self,
        Data(app): Data<&App>,
        Data(rate_limits): Data<&Arc<RateLimits>>,
        caller: Anonymous,
        current: ReplacedSession<Portal>,
        Body(body): Body<Activate>,
    ) -> ApiResult<
        WithCookies<Json<SignInResult>>,
        {
            codes::INVALID_CREDENTIALS
                | codes::INVALID_CODE
                | codes::CLIENT_SUSPENDED
                | codes::CONFLICT
                | codes::LINK_TOKEN
                | limit::CHECK_PASSWORD
                | limit::TOKEN_NETWORK
        },
    > {
        let activated = activation::activate(app, &caller, body.input(current.0)?).await;
        let session = rate_limits.count_refused_password(&caller.context.network(), activated)?;
        Ok(views::sign_in_response(app, session))
    }

    /// Request an activation link
    ///
    /// Mails one more activation link if the address has a pending or expired invitation. Older links stay valid. An
    /// expired invitation is renewed, at most twice. The response is the same for an unknown address.
    #[oai(path = "/auth/resend-activation", method = "post", operation_id = "resend_activation")]
    async fn resend(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<ResendActivation>,
    ) -> ApiResult<Json<Accepted>, { limit::RECOVERY }> {
        activation::resend(app, &caller, &body.email.0).await?;
        Ok(accepted())
    }

    /// Replace an expired link
    ///
    /// Mails a new link to the address that the expired link was mailed to. This works until 14 days after the expiry;
    /// later the response is `token_expired`. If the link is still valid, the response is 409 `conflict`.
    #[oai(path = "/auth/request-new-link", method = "post", operation_id = "request_new_link")]
    async fn request_new_link(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<LinkToken>,
    ) -> ApiResult<Json<Accepted>, { codes::LINK_TOKEN | codes::CONFLICT | limit::TOKEN_NETWORK | limit::RECOVERY }>
    {
        link_tokens::renew(app, &caller, &body.token.0).await?;
        Ok(accepted())
    }

    /// Report a sign-in that was not yours
    ///
    /// Takes the link in the notice about a sign-in from an unknown device. Revokes every session of the user, locks
    /// the password until it is reset, makes every known device unknown, and mails a reset link. The link cannot be
    /// used again. It also works if the session of the notice has ended.
    #[oai(path = "/auth/not-me", method = "post", operation_id = "report_sign_in")]
    async fn not_me(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<LinkToken>,
    ) -> ApiResult<Json<Accepted>, { codes::LINK_TOKEN | limit::TOKEN_NETWORK }> {
        not_me::report(app, &caller, &body.token.0).await?;
        Ok(accepted())
    }

    /// Accept an invitation
    ///
    /// Adds the signed-in portal user to the client that the link invites to. The current session keeps its client.
    /// The link must belong to the signed-in user; otherwise the response is 409 `wrong_account` and the link
    /// stays unused.
    #[oai(path = "/invitations/accept", method = "post", operation_id = "accept_invitation")]
    async fn accept(
        &self,
        Data(app): Data<&App>,
        caller: PortalUser,
        Body(body): Body<LinkToken>,
    ) -> ApiResult<
        NoContent,
        { codes::LINK_TOKEN | codes::WRONG_ACCOUNT | codes::CLIENT_SUSPENDED | limit::TOKEN_NETWORK },
    > {
        activation::accept(app, &caller, &body.token.0).await?;
        Ok(NoContent)
    }
}
