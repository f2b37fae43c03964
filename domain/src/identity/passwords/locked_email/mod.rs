//! The mail that notifies a portal user of a password that was locked after too many failed sign-ins.

use crate::{identity::notices::Notice, platform::mail};

mail::templates!(
    Notice,
    English: "identity/passwords/locked_email/en.txt",
    German: "identity/passwords/locked_email/de.txt",
    French: "identity/passwords/locked_email/fr.txt",
    Spanish: "identity/passwords/locked_email/es.txt",
);
