//! The mail that notifies a portal user of a changed password.

use crate::{identity::notices::Notice, platform::mail};

mail::templates!(
    Notice,
    English: "identity/passwords/changed_email/en.txt",
    German: "identity/passwords/changed_email/de.txt",
    French: "identity/passwords/changed_email/fr.txt",
    Spanish: "identity/passwords/changed_email/es.txt",
);
