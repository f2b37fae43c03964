//! The texts of the activation mail: the link with which an invited person sets the first password.

use crate::{identity::activation::template_values::LinkEmailValues, platform::mail};

mail::templates!(
    LinkEmailValues,
    "identity/activation/activation_email/subject.txt",
    "identity/activation/activation_email/body.txt",
    "identity/activation/activation_email/body.html"
);
