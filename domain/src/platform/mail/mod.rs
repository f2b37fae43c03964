//! Mail: the outbox, the job that composes and sends mails, and the transports that deliver them.
//!
//! A use case inserts a row into `emails` in its own transaction (`enqueue`). The worker derives the secret, renders
//! the texts and sends the mail by a transport; [`smtp`](super::smtp) is the SMTP client. The texts of a mail are a
//! folder in the capability that sends it: `en.txt` and a file for each other language, and `mod.rs` with one typed
//! context.

#[cfg(test)]
pub(crate) mod checks;
mod delivery;
mod hold;
mod inline_image;
mod log;
mod mailer;
mod mailto;
mod message;
mod outbox;
mod outcome_text;
mod redact;
mod request_batch;
mod retry;
mod send;
mod settings;
mod show;
mod summary;

pub use delivery::Reason;
pub use hold::{HoldCache, release_after_change};
pub(crate) use inline_image::InlineImage;
pub use log::{MailFilter, by_ids, list, list_all, of_jobs};
pub use mailer::{MailError, Mailer, SentMail};
pub(crate) use mailto::mailto;
pub(crate) use message::{Composed, Message, Rendered, defuse_links, message, templates};
pub(crate) use outbox::{NewEmail, REPLACED, enqueue, enqueue_all, replace, set_recipient_user};
pub(crate) use outcome_text::WAITS;
pub use outcome_text::tenant_detail;
pub use request_batch::MailRequests;
pub(crate) use request_batch::request;
pub use retry::{Retried, RetryCaller, retry, retry_all};
pub(crate) use send::ComposeError;
pub use send::{MailRoute, MailRouting, SendMail, send_test};
pub use settings::{MailSettings, MailUrl};
pub(crate) use show::{ButtonColors, Show, html, plain_text};
pub use summary::FailedMails;
pub(crate) use summary::{failed_by_reason, oldest_queued, sent_since};
