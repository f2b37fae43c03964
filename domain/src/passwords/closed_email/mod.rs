//! The notice that guessing has closed a password.

use crate::mail::{self, Notice};

mail::templates!(
    Notice,
    "passwords/closed_email/subject.txt",
    "passwords/closed_email/body.txt",
    "passwords/closed_email/body.html"
);
