//! The texts of the reminder of an invitation. They suit a person with a password and one without.

use crate::{identity::activation::template_values::LinkEmailValues, platform::mail};

mail::templates!(
    LinkEmailValues,
    English: "identity/activation/reminder_email/en.txt",
    German: "identity/activation/reminder_email/de.txt",
    French: "identity/activation/reminder_email/fr.txt",
    Spanish: "identity/activation/reminder_email/es.txt",
);
