//! `/api/portal/invitations`: accepting an invitation as a signed-in portal user.

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

/// The operations of the tag `invitations`.
pub(crate) struct Invitations;

/// The token of a mailed invitation link.
#[derive(Object)]
struct AcceptInvitation {
    /// The link token: the text after `#token=` in the mailed URL (43 characters of base64url).
    token: Field<PlainToken>,
}

#[OpenApi(prefix_path = "/api/portal/invitations", tag = "Tag::Invitations")]
impl Invitations {
    /// Accept an invitation
    ///
    /// Adds the signed-in portal user to the client that the link invites to. The current session keeps its client.
    /// The link must belong to the signed-in user; otherwise the answer is 409 `wrong_account` and the link stays
    /// unused.
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
