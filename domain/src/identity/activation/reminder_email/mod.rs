//! The texts of the reminder of an invitation. They suit a person with a password and one without.

use crate::{identity::activation::template_values::LinkEmailValues, platform::mail};

mail::templates!(
    LinkEmailValues,
    "identity/activation/reminder_email/subject.txt",
    "identity/activation/reminder_email/body.txt",
    "identity/activation/reminder_email/body.html"
);
