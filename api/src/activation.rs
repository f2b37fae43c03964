//! `/api/portal/auth`: what a mailed link is for, and setting up an account by one.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};
use portico_domain::{
    activation::{self, ActivateInput},
    app::App,
    email_address::EmailAddress,
    entity::auth_token,
    links::{self, Checked},
    name::Name,
    secret::{Password, PlainToken},
};

use crate::{
    answer::{Accepted, WithCookies, accepted},
    body::Body,
    caller::{Presented, Visitor},
    error::{Answer, can},
    fields::Field,
    nullable::Nullable,
    people::{self, Session},
    tags::Tag,
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

impl From<Checked> for CheckedLink {
    fn from(link: Checked) -> Self {
        Self {
            purpose: match link.purpose {
                auth_token::Purpose::Activation => LinkPurpose::Activation,
                auth_token::Purpose::Reset => LinkPurpose::Reset,
                auth_token::Purpose::Accept => LinkPurpose::Accept,
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
        by: Visitor,
        Body(body): Body<LinkToken>,
    ) -> Answer<Json<CheckedLink>, { can::READ | can::MISS | can::EXPIRE }> {
        Ok(Json(links::check(app, &by, &body.token.0).await?.into()))
    }

    /// Set up an account
    ///
    /// Sets the first password and signs in. A password that is refused does not spend the link.
    #[oai(path = "/activate", method = "post", operation_id = "activate_account")]
    async fn activate(
        &self,
        Data(app): Data<&App>,
        by: Visitor,
        presented: Presented<false>,
        Body(body): Body<Activate>,
    ) -> Answer<WithCookies<Json<Session>>, { can::READ | can::MISS | can::EXPIRE }> {
        let name = body.name.map(|Field(name)| name);
        let input = ActivateInput { token: body.token.0, password: body.password.0, name, presented: presented.0 };
        Ok(people::signed_in(app, activation::activate(app, &by, input).await?))
    }

    /// Ask for an activation link again
    ///
    /// Answered alike for addresses that nobody invited.
    #[oai(path = "/resend-activation", method = "post", operation_id = "resend_activation")]
    async fn resend(
        &self,
        Data(app): Data<&App>,
        by: Visitor,
        Body(body): Body<ResendActivation>,
    ) -> Answer<Json<Accepted>, { can::READ }> {
        activation::resend(app, &by, &body.email.0).await?;
        Ok(accepted())
    }

    /// Trade an expired link for a new one
    ///
    /// The new link is mailed to the address that the old one went to, up to 14 days after its end.
    #[oai(path = "/request-new-link", method = "post", operation_id = "request_new_link")]
    async fn request_new_link(
        &self,
        Data(app): Data<&App>,
        by: Visitor,
        Body(body): Body<LinkToken>,
    ) -> Answer<Json<Accepted>, { can::READ | can::MISS | can::EXPIRE }> {
        links::request_new(app, &by, &body.token.0).await?;
        Ok(accepted())
    }
}
