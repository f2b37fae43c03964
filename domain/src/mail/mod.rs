//! Mail: the outbox that acts write into, the job that composes and sends, and the ways out.
//!
//! An act inserts a row in its own transaction ([`enqueue`]); the worker alone makes the secret, the text and the
//! connection. A mail is a folder in the capability that sends it: `subject.txt`, `body.txt`, `body.html` and one
//! typed context in `mod.rs`.

mod brand;
mod mailer;
mod message;
mod notice;
mod outbox;
mod send;
mod settings;
mod smtp;

pub(crate) use brand::Brand;
pub use mailer::{MailError, Mailer, SentMail};
pub(crate) use message::{Composed, Message, Rendered, defuse_links, format_time, message, templates};
pub(crate) use notice::{Notice, enqueue_notice, enqueue_staff_notice};
pub(crate) use outbox::{NewEmail, enqueue, enqueue_all, set_recipient_user};
pub(crate) use send::ComposeError;
pub use send::{SendMail, send_test};
pub use settings::{Encryption, MailSettings, MailUrl};
