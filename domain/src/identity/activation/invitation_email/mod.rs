//! The texts of the invitation mail: the link with which a portal user who has a password joins another client.

use crate::{identity::activation::template_values::LinkEmailValues, platform::mail};

mail::templates!(
    LinkEmailValues,
    English: "identity/activation/invitation_email/en.txt",
    German: "identity/activation/invitation_email/de.txt",
    French: "identity/activation/invitation_email/fr.txt",
    Spanish: "identity/activation/invitation_email/es.txt",
);
