//! The mail that notifies a portal user of a password that was locked after too many failed sign-ins.

use crate::mail::{self, Notice};

mail::templates!(
    Notice,
    "passwords/locked_email/subject.txt",
    "passwords/locked_email/body.txt",
    "passwords/locked_email/body.html"
);
