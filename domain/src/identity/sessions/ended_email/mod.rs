//! The notice that a session was ended because its refresh token was probably copied.

use crate::{identity::notices::Notice, platform::mail};

mail::templates!(
    Notice,
    English: "identity/sessions/ended_email/en.txt",
    German: "identity/sessions/ended_email/de.txt",
    French: "identity/sessions/ended_email/fr.txt",
    Spanish: "identity/sessions/ended_email/es.txt",
);
