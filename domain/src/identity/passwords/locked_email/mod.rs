//! The mail that notifies a portal user of a password that was locked after too many failed sign-ins.

use crate::{identity::notices::Notice, platform::mail};

mail::templates!(
    Notice,
    "identity/passwords/locked_email/subject.txt",
    "identity/passwords/locked_email/body.txt",
    "identity/passwords/locked_email/body.html"
);
