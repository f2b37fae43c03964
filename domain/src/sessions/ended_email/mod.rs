//! The notice that a session was ended because its refresh token was probably copied.

use crate::mail::{self, Notice};

mail::templates!(
    Notice,
    "sessions/ended_email/subject.txt",
    "sessions/ended_email/body.txt",
    "sessions/ended_email/body.html"
);
