//! Composed mails, and the macro and helpers that compose them.

use email_encoding::headers::{rfc2047, writer::EmailWriter};
use lettre::message::header::{Header, HeaderName, HeaderValue};
use portico_entity::email::{self, Kind};

use super::{InlineImage, MailError};
use crate::platform::{email_address::EmailAddress, error::Error, language::Language};

/// A composed mail, ready to be sent. It contains live secrets, so it exists only while it is sent.
pub(crate) struct Message {
    /// The recipient.
    pub(super) to: EmailAddress,
    /// The language of the subject and of both bodies.
    pub(super) language: Language,
    /// The subject, without line breaks.
    pub(super) subject: String,
    /// The plain-text body.
    pub(super) text: String,
    /// The HTML body.
    pub(super) html: String,
    /// The image that the HTML body names.
    pub(super) image: Option<InlineImage>,
    /// The `Message-ID`, with angle brackets (RFC 5322 §3.6.4).
    pub(super) message_id: String,
}

/// The rendered templates of a mail.
pub(crate) struct Rendered {
    /// The language of the texts.
    pub(crate) language: Language,
    /// The subject.
    pub(crate) subject: String,
    /// The plain-text body.
    pub(crate) text: String,
    /// The HTML body.
    pub(crate) html: String,
    /// The image that the HTML body names.
    pub(crate) image: Option<InlineImage>,
}

/// The result of composing a mail.
pub(crate) enum Composed {
    /// The mail can be sent.
    Message(Message),
    /// The mail must not be sent, for this reason, which the mail log shows.
    Suppressed(&'static str),
    /// The mail must be composed as one of this kind, because that is what the recipient needs now.
    OtherKind(Kind),
}

/// Builds a [`Message`] from the rendered templates, with the recipient and the `Message-ID` of the `emails` row. White
/// space in the subject, including line breaks, becomes single spaces.
///
/// # Errors
/// [`MailError`] if the recipient in the row is not a valid address.
pub(crate) fn message(row: &email::Model, rendered: Rendered) -> Result<Composed, MailError> {
    let to = row.recipient.parse().map_err(|_| MailError::undeliverable("the recipient is not an address"))?;
    let subject = rendered.subject.split_whitespace().collect::<Vec<_>>().join(" ");
    let Rendered { language, text, html, image, .. } = rendered;
    let message_id = row.message_id.clone();
    Ok(Composed::Message(Message { to, language, subject, text, html, image, message_id }))
}

/// Returns `name` in a form that mail programs do not turn into a link. An invisible word joiner (U+2060) is inserted
/// after each dot before a letter or digit, so that `Amazon.com` does not become a link.
pub(crate) fn defuse_links(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        shown.push(character);
        // Host names may have these dots too (UTS 46, section 2.3).
        let is_dot = matches!(character, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}');
        if is_dot && characters.peek().is_some_and(|next| next.is_alphanumeric()) {
            shown.push('\u{2060}');
        }
    }
    shown
}

/// The header `Subject` of a mail.
///
/// lettre writes a word of ASCII characters as it is, also one that looks like an encoded word (RFC 2047 §2). A mail
/// program would decode that word and show what it hides. So a subject with such a word is encoded completely, and
/// mail programs show the word itself.
#[derive(Clone)]
pub(super) struct Subject(pub(super) String);

impl Header for Subject {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Subject")
    }

    fn parse(value: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(value.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        let Self(text) = self;
        let encoded = Some(text).filter(|text| text.contains("=?")).and_then(|text| encode(text));
        match encoded {
            Some(encoded) => HeaderValue::dangerous_new_pre_encoded(Self::name(), text.clone(), encoded),
            None => HeaderValue::new(Self::name(), text.clone()),
        }
    }
}

/// Returns the value of the header `Subject` in encoded words only.
fn encode(text: &str) -> Option<String> {
    let mut encoded = String::new();
    rfc2047::encode(text, &mut EmailWriter::new(&mut encoded, "Subject: ".len(), 0, false)).ok()?;
    Some(encoded)
}

impl From<askama::Error> for Error {
    fn from(error: askama::Error) -> Self {
        Self::Internal(format!("template: {error}"))
    }
}

/// Defines the function `render`, which renders the subject, the plain text and the HTML of a mail in the language of
/// its brand. There is one template for each language, with the blocks `subject` and `body`. It sees the context, a
/// `&$context`, under the name `mail`, and a [`Show`](super::Show) under the name `show`. Defines also a test of the
/// texts, for which the context implements [`checks::Example`](super::checks).
macro_rules! templates {
    ($context:ty, $($language:ident: $path:literal),+ $(,)?) => {
        /// Renders this mail.
        ///
        /// # Errors
        /// The error of the template engine.
        pub(crate) fn render(mail: &$context) -> std::result::Result<crate::platform::mail::Rendered, askama::Error> {
            use askama::Template;

            use crate::platform::{
                language::Language,
                mail::{self, Rendered, Show},
            };

            #[derive(Template)]
            #[template(path = "platform/mail/layout.html")]
            struct Page<'a> {
                mail: &'a $context,
                content: askama::filters::HtmlSafeOutput<String>,
            }

            let language = mail.brand.language;
            let (subject, text, html) = match language {
                $(Language::$language => {
                    #[derive(Template)]
                    #[template(path = $path, block = "subject")]
                    struct Subject<'a> {
                        mail: &'a $context,
                    }
                    #[derive(Template)]
                    #[template(path = $path, block = "body")]
                    struct Text<'a> {
                        mail: &'a $context,
                        show: Show,
                    }
                    #[derive(Template)]
                    #[template(path = $path, block = "body", escape = "html")]
                    struct Html<'a> {
                        mail: &'a $context,
                        show: Show,
                    }
                    (
                        Subject { mail }.render()?,
                        Text { mail, show: Show::text(language) }.render()?,
                        Html { mail, show: Show::html(language, mail.brand.button_colors()) }.render()?,
                    )
                })+
            };
            let html = Page { mail, content: mail::html(&html) }.render()?;
            let image = mail.brand.logo.clone();
            Ok(Rendered { language, subject, text: mail::plain_text(&text), html, image })
        }

        #[cfg(test)]
        mod texts {
            use super::*;
            use crate::platform::{
                language::Language,
                mail::checks::{Example, Template, check},
            };

            #[test]
            fn every_language_says_the_same() {
                let templates = [$(Template {
                    language: Language::$language,
                    path: $path,
                    source: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/", $path)),
                }),+];
                check(&templates, |language, is_complete| {
                    render(&<$context>::example(language, is_complete)).unwrap()
                });
            }
        }
    };
}
pub(crate) use templates;

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the header as a mail program shows it.
    fn shown(subject: &str) -> String {
        let header = lettre::Message::builder()
            .from("a@x.test".parse().unwrap())
            .to("b@x.test".parse().unwrap())
            .header(Subject(subject.to_owned()))
            .body(String::new())
            .unwrap()
            .formatted();
        let (headers, _) = mailparse::parse_headers(&header).unwrap();
        assert!(String::from_utf8_lossy(&header).lines().all(|line| line.len() < 79), "folded");
        headers.iter().find(|header| header.get_key() == "Subject").unwrap().get_value()
    }

    #[test]
    fn subject_is_never_shown_decoded() {
        let long = format!("Your access to {}", "=?utf-8?q?Acme?= Müller ".repeat(8));
        for subject in [
            "Your access to Acme Ltd",
            "Your access to Müller AG",
            "Your access to =?utf-8?q?Acme?=",
            "=?utf-8?b?V2luIDEgQlRDIGh0dHA6Ly9ldmlsLnRlc3QveA==?= invites you",
            "a =?utf-8?b?aHR0cDov?= =?utf-8?b?L2V2aWwudGVzdA==?= b",
            "Müller =?x?q?y?= Ltd",
            "Ihr Passwort für „Große Bäckerei Österreich GmbH & Co. KG“ wurde geändert, und Ihre Sitzungen wurden beendet",
            "Rappel\u{a0}: « L’Œuvre » vous invite à rejoindre l’espace client",
            "¿Ha olvidado su contraseña de la compañía Ñandú?",
            long.trim_end(),
        ] {
            assert_eq!(shown(subject), subject);
        }
    }
}
