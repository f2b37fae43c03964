//! `/api/portal/invitations`: joining one more client.

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use portico_domain::{app::App, invitations, secret::PlainToken};

use crate::{
    answer::Done,
    body::Body,
    caller::SignedIn,
    error::{Answer, can},
    fields::Field,
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
        by: SignedIn,
        Body(body): Body<AcceptInvitation>,
    ) -> Answer<Done, { can::READ | can::REFUSE | can::MISS | can::CLASH | can::EXPIRE }> {
        invitations::accept(app, &by, &body.token.0).await?;
        Ok(Done)
    }
}
