//! A mail, composed.

use portico_entity::email;

use super::MailError;
use crate::{clock::Time, email_address::EmailAddress, error::Error};

/// A mail that is ready to go, secrets and all. Lives only while it is sent.
pub struct Message {
    pub(super) to: EmailAddress,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
    pub(super) message_id: String,
}

/// What the three templates of a mail have become.
pub(crate) struct Rendered {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// What composing a mail came to.
pub(crate) enum Composed {
    /// It can go.
    Message(Message),
    /// It should not go, for this reason.
    Suppressed(&'static str),
}

/// Puts `rendered` into an envelope addressed as the row says.
///
/// # Errors
/// `Permanent` when the row's recipient is no address.
pub(crate) fn message(row: &email::Model, rendered: Rendered) -> Result<Composed, MailError> {
    let to = row.recipient.parse().map_err(|_| MailError::Permanent("the recipient is not an address".into()))?;
    let subject = rendered.subject.split_whitespace().collect::<Vec<_>>().join(" ");
    let Rendered { text, html, .. } = rendered;
    Ok(Composed::Message(Message { to, subject, text, html, message_id: row.message_id.clone() }))
}

/// A name as mails show it: what a mail program would make a link of (`Amazon.com`) is broken by a word joiner that nobody
/// sees, so that a name never leads anywhere.
pub(crate) fn defuse_links(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        shown.push(character);
        if character == '.' && characters.peek().is_some_and(|next| next.is_alphanumeric()) {
            shown.push('\u{2060}');
        }
    }
    shown
}

/// A time as mails state it.
pub(crate) fn format_time(time: Time) -> String {
    time.format("%-d %B %Y, %H:%M UTC").to_string()
}

impl From<askama::Error> for Error {
    fn from(error: askama::Error) -> Self {
        Self::Internal(format!("template: {error}"))
    }
}

/// Declares the three templates of a mail: `render` turns its context into them.
macro_rules! templates {
    ($context:ty, $subject:literal, $text:literal, $html:literal) => {
        pub(crate) fn render(mail: &$context) -> std::result::Result<crate::mail::Rendered, askama::Error> {
            use askama::Template;

            #[derive(Template)]
            #[template(path = $subject)]
            struct Subject<'a> {
                mail: &'a $context,
            }
            #[derive(Template)]
            #[template(path = $text)]
            struct Text<'a> {
                mail: &'a $context,
            }
            #[derive(Template)]
            #[template(path = $html)]
            struct Html<'a> {
                mail: &'a $context,
            }
            Ok(crate::mail::Rendered {
                subject: Subject { mail }.render()?,
                text: Text { mail }.render()?,
                html: Html { mail }.render()?,
            })
        }
    };
}
pub(crate) use templates;
