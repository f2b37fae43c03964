//! Mail: the outbox that acts write into, the job that composes and sends, and the ways out.
//!
//! An act inserts a row in its own transaction ([`post`]); the worker alone makes the secret, the text and the
//! connection. A mail is a folder in the capability that sends it: `subject.txt`, `body.txt`, `body.html` and one
//! typed context in `mod.rs`.

mod brand;
mod letter;
mod mailer;
mod notice;
mod outbox;
mod send;
mod settings;
mod smtp;

pub(crate) use brand::Brand;
pub(crate) use letter::{Composed, Letter, Rendered, expiry, inert, letter, templates};
pub use mailer::{MailError, Mailer, SentMail};
pub(crate) use notice::{Notice, post_notice, post_staff_notice};
pub(crate) use outbox::{NewEmail, belongs_to, post, post_all};
pub(crate) use send::ComposeError;
pub use send::{SendMail, send_test};
pub use settings::{Encryption, MailSettings, MailUrl};
