//! The texts of the invitation mail: the link with which a portal user who has a password joins another client.

use crate::{identity::activation::template_values::LinkEmailValues, platform::mail};

mail::templates!(
    LinkEmailValues,
    "identity/activation/invitation_email/subject.txt",
    "identity/activation/invitation_email/body.txt",
    "identity/activation/invitation_email/body.html"
);
