//! The texts of the activation mail: the link with which an invited person sets the first password.

use crate::{identity::activation::template_values::LinkEmailValues, platform::mail};

mail::templates!(
    LinkEmailValues,
    English: "identity/activation/activation_email/en.txt",
    German: "identity/activation/activation_email/de.txt",
    French: "identity/activation/activation_email/fr.txt",
    Spanish: "identity/activation/activation_email/es.txt",
);
