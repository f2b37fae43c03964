//! `/api/portal/invitations`: joining one more client.

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use portico_domain::{app::App, invitations, secret::PlainToken};

use crate::{
    auth::PortalUser,
    body::Body,
    error::{ApiResult, status},
    fields::Field,
    response::NoContent,
    tags::Tag,
};

pub(crate) struct Invitations;

/// The link of an invitation.
#[derive(Object)]
struct AcceptInvitation {
    /// The secret of the mailed link: what follows `#token=`.
    token: Field<PlainToken>,
}

#[OpenApi(prefix_path = "/api/portal/invitations", tag = "Tag::Invitations")]
impl Invitations {
    /// Accept an invitation
    ///
    /// For a person who has a password already. The link must have been mailed to the person who is signed in.
    #[oai(path = "/accept", method = "post", operation_id = "accept_invitation")]
    async fn accept(
        &self,
        Data(app): Data<&App>,
        caller: PortalUser,
        Body(body): Body<AcceptInvitation>,
    ) -> ApiResult<
        NoContent,
        { status::UNSUPPORTED_MEDIA_TYPE | status::UNAUTHORIZED | status::NOT_FOUND | status::CONFLICT | status::GONE },
    > {
        invitations::accept(app, &caller, &body.token.0).await?;
        Ok(NoContent)
    }
}
