//! `/api/portal/auth`: what a mailed link is for, and setting up an account by one.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};
use portico_domain::{
    activation::{self, ActivateInput},
    app::App,
    email_address::EmailAddress,
    entity::link_token,
    link_tokens::{self, LinkInfo},
    name::Name,
    secret::{Password, PlainToken},
};

use crate::{
    auth::{Anonymous, CurrentSession},
    body::Body,
    error::{ApiResult, status},
    fields::Field,
    nullable::Nullable,
    response::{Accepted, WithCookies, accepted},
    tags::Tag,
    views::{self, Session},
};

pub(crate) struct Activation;

/// A mailed link.
#[derive(Object)]
struct LinkToken {
    /// The secret of the link: what follows `#token=`.
    token: Field<PlainToken>,
}

/// What a link is for.
#[derive(Object)]
struct CheckedLink {
    /// What it does.
    purpose: LinkPurpose,
    /// Whose it is.
    email: String,
    /// What they are called.
    name: String,
    /// The client they are invited to; not for a reset.
    client_name: Nullable<String>,
    /// When it dies.
    expires_at: DateTime<Utc>,
}

/// What a link does: set up an account, set a new password, or accept an invitation while signed in.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum LinkPurpose {
    Activation,
    Reset,
    Accept,
}

/// A first password.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Activate {
    /// The secret of the mailed link: what follows `#token=`.
    token: Field<PlainToken>,
    /// The first password.
    password: Field<Password>,
    /// What the person is called, if not as the invitation says.
    name: Option<Field<Name>>,
}

/// Who wants their activation link again.
#[derive(Object)]
struct ResendActivation {
    /// The person's address.
    email: Field<EmailAddress>,
}

impl From<LinkInfo> for CheckedLink {
    fn from(link: LinkInfo) -> Self {
        Self {
            purpose: match link.purpose {
                link_token::Purpose::Activation => LinkPurpose::Activation,
                link_token::Purpose::Reset => LinkPurpose::Reset,
                link_token::Purpose::Accept => LinkPurpose::Accept,
            },
            email: link.email,
            name: link.name,
            client_name: Nullable(link.client_name),
            expires_at: link.expires_at,
        }
    }
}

#[OpenApi(prefix_path = "/api/portal/auth", tag = "Tag::Activation")]
impl Activation {
    /// See what a link is for
    ///
    /// Spends nothing, so a page may ask before it shows a form.
    #[oai(path = "/check-token", method = "post", operation_id = "check_token")]
    async fn check_token(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<LinkToken>,
    ) -> ApiResult<Json<CheckedLink>, { status::UNSUPPORTED_MEDIA_TYPE | status::NOT_FOUND | status::GONE }> {
        Ok(Json(link_tokens::check(app, &caller, &body.token.0).await?.into()))
    }

    /// Set up an account
    ///
    /// Sets the first password and signs in. A password that is refused does not spend the link.
    #[oai(path = "/activate", method = "post", operation_id = "activate_account")]
    async fn activate(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        current: CurrentSession<false>,
        Body(body): Body<Activate>,
    ) -> ApiResult<WithCookies<Json<Session>>, { status::UNSUPPORTED_MEDIA_TYPE | status::NOT_FOUND | status::GONE }>
    {
        let name = body.name.map(|Field(name)| name);
        let input = ActivateInput { token: body.token.0, password: body.password.0, name, replaces: current.0 };
        Ok(views::signed_in(app, activation::activate(app, &caller, input).await?))
    }

    /// Ask for an activation link again
    ///
    /// Answered alike for addresses that nobody invited.
    #[oai(path = "/resend-activation", method = "post", operation_id = "resend_activation")]
    async fn resend(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<ResendActivation>,
    ) -> ApiResult<Json<Accepted>, { status::UNSUPPORTED_MEDIA_TYPE }> {
        activation::resend(app, &caller, &body.email.0).await?;
        Ok(accepted())
    }

    /// Trade an expired link for a new one
    ///
    /// The new link is mailed to the address that the old one went to, up to 14 days after its end.
    #[oai(path = "/request-new-link", method = "post", operation_id = "request_new_link")]
    async fn request_new_link(
        &self,
        Data(app): Data<&App>,
        caller: Anonymous,
        Body(body): Body<LinkToken>,
    ) -> ApiResult<Json<Accepted>, { status::UNSUPPORTED_MEDIA_TYPE | status::NOT_FOUND | status::GONE }> {
        link_tokens::renew(app, &caller, &body.token.0).await?;
        Ok(accepted())
    }
}
