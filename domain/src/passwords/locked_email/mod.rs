//! The notice that guessing has closed a password.

use crate::mail::{self, Notice};

mail::templates!(
    Notice,
    "passwords/locked_email/subject.txt",
    "passwords/locked_email/body.txt",
    "passwords/locked_email/body.html"
);
