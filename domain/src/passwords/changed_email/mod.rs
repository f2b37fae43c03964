//! The mail that notifies a portal user of a changed password.

use crate::mail::{self, Notice};

mail::templates!(
    Notice,
    "passwords/changed_email/subject.txt",
    "passwords/changed_email/body.txt",
    "passwords/changed_email/body.html"
);
