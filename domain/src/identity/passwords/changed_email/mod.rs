//! The mail that notifies a portal user of a changed password.

use crate::{identity::notices::Notice, platform::mail};

mail::templates!(
    Notice,
    "identity/passwords/changed_email/subject.txt",
    "identity/passwords/changed_email/body.txt",
    "identity/passwords/changed_email/body.html"
);
