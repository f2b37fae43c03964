//! The notice that a session was ended because its refresh token was probably copied.

use crate::{identity::notices::Notice, platform::mail};

mail::templates!(
    Notice,
    "identity/sessions/ended_email/subject.txt",
    "identity/sessions/ended_email/body.txt",
    "identity/sessions/ended_email/body.html"
);
