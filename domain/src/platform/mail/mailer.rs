//! The transports that deliver mail: SMTP, a folder, or memory.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use lettre::{
    AsyncTransport,
    message::{
        Mailbox,
        header::{Header, HeaderName, HeaderValue},
    },
};
use portico_entity::background_job::Lane;
use serde::{Deserialize, Serialize};
use tracing::{Instrument, field, info_span};
use url::Url;

use super::{MailSettings, MailUrl, Message, hold::HOLD_REFUSAL, inline_image, message::Subject, redact::Redactor};
use crate::platform::{
    clock::Time,
    language::Language,
    smtp::{self, BeforeDot, Cause, Circumstances, Failure, Outcome, Slot, Smtp, Stage, Verdict},
};

/// A transport that delivers mail. Clones share the same transport.
#[derive(Clone)]
pub struct Mailer {
    from: Mailbox,
    transport: Transport,
}

#[derive(Clone)]
enum Transport {
    /// Sends mail to an SMTP server.
    Smtp(Arc<Smtp>),
    /// Writes each mail to a file in this folder.
    Folder(PathBuf),
    /// Keeps mail in memory.
    Memory(Arc<Mutex<Vec<SentMail>>>),
}

/// A mail as the development mailbox shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SentMail {
    /// The address of the recipient.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain-text body.
    pub text: String,
    /// The HTML body, with its image in it.
    pub html: String,
    /// The links in the plain-text body, in the order of the text.
    pub links: Vec<String>,
    /// The first six-digit code in the plain-text body, if there is one.
    pub code: Option<String>,
    /// The `Message-ID`, which is the same for every attempt to send the mail.
    pub message_id: String,
    /// When the mail was sent.
    pub sent_at: Time,
}

/// An attempt to send a mail that no server has accepted.
#[derive(Debug)]
pub struct MailError {
    /// What becomes of the mail.
    pub(super) outcome: Outcome,
    /// The stage of the conversation that failed.
    pub(super) stage: Stage,
    /// The stage and the code of the reply, if the server has refused the recipient or the text.
    pub(super) refusal: Option<String>,
    /// What the server did.
    pub(super) reaction: Reaction,
    /// Whether this attempt was counted as a handover.
    pub(super) is_counted: bool,
    /// One sentence for an operator, with the reply of the server.
    pub(super) detail: String,
}

/// What the server did when it did not accept a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// It answered.
    Reply,
    /// It did not answer in time.
    Silence,
    /// The connection failed, or there is no server.
    None,
    /// Nothing: this process did not hand the mail over, because another process sends it.
    NotAsked,
}

impl MailError {
    /// A mail that cannot be built.
    pub(super) fn undeliverable(why: impl Into<String>) -> Self {
        Self::without_server(Outcome::Final, why.into())
    }

    fn without_server(outcome: Outcome, detail: String) -> Self {
        Self { outcome, stage: Stage::Connect, refusal: None, reaction: Reaction::None, is_counted: false, detail }
    }

    fn of_smtp(failure: &Failure, verdict: Verdict, detail: String) -> Self {
        Self {
            outcome: verdict.outcome,
            stage: failure.stage,
            refusal: refusal(failure, verdict),
            reaction: match &failure.cause {
                Cause::Reply(_) => Reaction::Reply,
                Cause::Silence => Reaction::Silence,
                Cause::NotAllowed(_) => Reaction::NotAsked,
                Cause::Closed(_) | Cause::Unparsable | Cause::Setup(_) => Reaction::None,
            },
            is_counted: false,
            detail,
        }
    }
}

/// Returns the stage and the code of the reply if it is about the recipient or the text; `None` if it is about the
/// state of the mail server, which concerns all mails.
fn refusal(failure: &Failure, verdict: Verdict) -> Option<String> {
    let Cause::Reply(reply) = &failure.cause else { return None };
    match (failure.stage, verdict.outcome) {
        (Stage::Rcpt | Stage::Dot, Outcome::Hold) => Some(format!("{HOLD_REFUSAL}{}", failure.kind())),
        (Stage::Rcpt | Stage::Dot, Outcome::Later) if verdict.is_overloaded || reply.is_about_the_server() => None,
        (Stage::Rcpt | Stage::Dot, _) => Some(failure.kind()),
        _ => None,
    }
}

impl std::fmt::Display for MailError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for MailError {}

/// A mail to be handed to the transport.
pub(super) struct Attempt<'a> {
    /// The slot of the mail, from [`Mailer::slot`].
    pub(super) slot: Option<Slot>,
    /// The lane of its job. Some connections are kept free for urgent mail.
    pub(super) lane: Lane,
    /// The composed mail.
    pub(super) message: &'a Message,
    /// The date of the mail.
    pub(super) now: Time,
    /// Whether the server may have accepted the mail at an earlier attempt.
    pub(super) may_be_delivered: bool,
    /// Asked before the mail is handed over to an SMTP server. From then on the server may have accepted it.
    pub(super) before_dot: &'a BeforeDot<'a>,
}

impl Mailer {
    /// Creates the mailer that `settings` describes. `public_url` is the default for what EHLO says.
    ///
    /// # Errors
    /// A sentence that names `MAIL_URL`, if the folder cannot be created or the certificate cannot be read.
    pub fn new(settings: &MailSettings, public_url: &Url) -> Result<Self, String> {
        let transport = match &settings.url {
            MailUrl::Memory => Transport::Memory(Arc::default()),
            MailUrl::Folder(path) => {
                std::fs::create_dir_all(path)
                    .map_err(|error| format!("cannot create the folder {} of MAIL_URL: {error}", path.display()))?;
                Transport::Folder(path.clone())
            }
            MailUrl::Smtp(server) => Transport::Smtp(Arc::new(Smtp::new(server, public_url)?)),
        };
        Ok(Self { from: settings.from.clone(), transport })
    }

    /// Checks that the files that `settings` names can be used. Creates and connects to nothing.
    ///
    /// # Errors
    /// A sentence that names `MAIL_URL`, if a certificate cannot be read.
    pub fn check_files(settings: &MailSettings, public_url: &Url) -> Result<(), String> {
        match &settings.url {
            MailUrl::Smtp(server) => Smtp::new(server, public_url).map(drop),
            MailUrl::Folder(_) | MailUrl::Memory => Ok(()),
        }
    }

    /// Checks that mail can be sent, without sending one: connects to the SMTP server and logs in. Returns a sentence
    /// about what was found.
    ///
    /// # Errors
    /// A sentence with the answer of the server. It contains no credentials.
    pub async fn check(&self) -> Result<String, String> {
        match &self.transport {
            Transport::Smtp(smtp) => match smtp.check().await {
                Ok(()) => Ok("the mail server accepts the connection and the credentials".into()),
                Err(failure) => {
                    let redactor = Redactor::of_credentials(smtp.server().credentials.as_ref());
                    Err(redactor.redact(&failure.to_string()))
                }
            },
            Transport::Folder(path) => Ok(format!("mail is written to {}", path.display())),
            Transport::Memory(_) => Ok("mail is kept in memory".into()),
        }
    }

    /// Waits until the SMTP client may send one more mail in this lane. The other transports have no slots.
    pub(super) async fn slot(&self, lane: Lane) -> Option<Slot> {
        match &self.transport {
            Transport::Smtp(smtp) => Some(smtp.slot(lane == Lane::Urgent).await),
            Transport::Folder(_) | Transport::Memory(_) => None,
        }
    }

    /// Sends a mail to its recipient and returns the reply of the server.
    ///
    /// # Errors
    /// See [`MailError`].
    pub(super) async fn send(&self, attempt: Attempt<'_>) -> Result<String, MailError> {
        let Attempt { message, now, .. } = attempt;
        match &self.transport {
            Transport::Smtp(smtp) => {
                let span = info_span!("smtp", lane = attempt.lane.name(), outcome = field::Empty);
                let sent = self.send_by_smtp(smtp, attempt).instrument(span.clone()).await;
                span.record("outcome", sent.as_ref().map_or_else(|error| error.outcome.name(), |_| "sent"));
                sent
            }
            Transport::Folder(path) => {
                let mail = SentMail::new(message, now);
                write_file(path, &mail)
                    .map_err(|error| MailError::without_server(Outcome::Later, error.to_string()))?;
                Ok("written to a file".into())
            }
            Transport::Memory(mails) => {
                mails.lock().unwrap_or_else(PoisonError::into_inner).push(SentMail::new(message, now));
                Ok("kept in memory".into())
            }
        }
    }

    async fn send_by_smtp(&self, smtp: &Smtp, attempt: Attempt<'_>) -> Result<String, MailError> {
        let mail = self.build(attempt.message, attempt.now).map_err(MailError::undeliverable)?;
        let slot = match attempt.slot {
            Some(slot) => slot,
            None => smtp.slot(attempt.lane == Lane::Urgent).await,
        };
        // It keeps the slot until the end of this function, so that no other mail is sent before a pause begins.
        let delivery = smtp.delivery(slot, attempt.before_dot);
        let sent = delivery.send(mail).await;
        let circumstances = Circumstances {
            is_authenticated: smtp.server().credentials.is_some(),
            may_be_delivered: attempt.may_be_delivered,
        };
        let verdict = smtp::verdict(sent.as_ref(), circumstances);
        if verdict.is_overloaded {
            smtp.use_fewer_connections();
        }
        if verdict.outcome == Outcome::Hold {
            smtp.close_idle_connections();
        }
        let redactor = Redactor::of_credentials(smtp.server().credentials.as_ref()).with_message(attempt.message);
        match sent {
            Ok(reply) => Ok(redactor.redact(&reply.to_string())),
            // The server says that it has accepted the mail before.
            Err(failure) if verdict.outcome == Outcome::Sent => Ok(redactor.redact(&failure.to_string())),
            Err(failure) => {
                if let Cause::Reply(reply) = &failure.cause {
                    let is_about_mail = matches!(failure.stage, Stage::Rcpt | Stage::Dot)
                        && !(verdict.is_overloaded || reply.is_about_the_server());
                    match verdict.outcome {
                        _ if is_about_mail => smtp.resume(),
                        Outcome::Later => smtp.pause(),
                        _ => {}
                    }
                }
                Err(MailError::of_smtp(&failure, verdict, redactor.redact(&failure.to_string())))
            }
        }
    }

    fn build(&self, message: &Message, now: Time) -> Result<lettre::Message, String> {
        // lettre parses the address again, so that only a valid address is ever sent to the server.
        let to = message.to.as_str().parse().map_err(|error| format!("the recipient is not an address: {error}"))?;
        let body = inline_image::body(message.text.clone(), message.html.clone(), message.image.as_ref())?;
        lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .header(Subject(message.subject.clone()))
            .date(SystemTime::from(now))
            .message_id(Some(message.message_id.clone()))
            .header(AutoSubmitted)
            .header(ContentLanguage(message.language.tag()))
            .multipart(body)
            .map_err(|error| error.to_string())
    }

    /// Returns when a mail is repeated whose final dot was not answered, as `?repeat=` of `MAIL_URL` says.
    pub(super) fn repeat_after(&self) -> Duration {
        match &self.transport {
            Transport::Smtp(smtp) => smtp.server().repeat,
            Transport::Folder(_) | Transport::Memory(_) => Duration::ZERO,
        }
    }

    /// Returns the mails that were sent to `recipient`, or to any recipient if it is `None`, newest first. Returns none
    /// for the SMTP transport, since Portico cannot read the mailboxes of a server.
    ///
    /// # Errors
    /// An I/O error if the folder or a file in it cannot be read.
    pub fn sent(&self, recipient: Option<&str>) -> io::Result<Vec<SentMail>> {
        let mut mails = match &self.transport {
            Transport::Smtp(_) => Vec::new(),
            Transport::Folder(path) => read_folder(path, recipient)?,
            Transport::Memory(mails) => mails.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        };
        mails.retain(|mail| recipient.is_none_or(|recipient| mail.to == recipient));
        mails.sort_by_key(|mail| std::cmp::Reverse(mail.sent_at));
        Ok(mails)
    }
}

impl SentMail {
    fn new(message: &Message, now: Time) -> Self {
        let words = || message.text.split_whitespace();
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
        Self {
            to: message.to.to_string(),
            subject: message.subject.clone(),
            text: message.text.clone(),
            html: message.image.as_ref().map_or_else(|| message.html.clone(), |image| image.embed_in(&message.html)),
            links: words().filter(|word| word.starts_with("http")).map(Into::into).collect(),
            code: words().find(is_code).map(Into::into),
            message_id: message.message_id.clone(),
            sent_at: now,
        }
    }
}

/// Writes `mail` to a file that is named after its recipient and its `Message-ID`, so that a second attempt replaces
/// the first. The file is renamed into place, so it is either complete or absent.
fn write_file(folder: &Path, mail: &SentMail) -> io::Result<()> {
    let id: String = mail.message_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let name = file_prefix(&mail.to) + &id;
    let (partial, complete) = (folder.join(format!("{name}.part")), folder.join(format!("{name}.json")));
    std::fs::write(&partial, serde_json::to_vec_pretty(mail)?)?;
    std::fs::rename(partial, complete)
}

/// Returns how the names of the files begin that contain the mails to `recipient`. Several recipients can have the
/// same prefix, because a file name is short and cannot contain each character.
fn file_prefix(recipient: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".@-+_".contains(c);
    let plain: String = recipient.chars().take(100).map(|c| if is_plain(c) { c } else { '_' }).collect();
    plain + "-"
}

/// Reads all mails in the folder, or those whose files have the prefix of `recipient`. A folder of thousands of mails
/// is read often by the tests of an application, so the name of a file tells whether it is read.
fn read_folder(folder: &Path, recipient: Option<&str>) -> io::Result<Vec<SentMail>> {
    let prefix = recipient.map(file_prefix).unwrap_or_default();
    let mut mails = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&prefix) && name.ends_with(".json") {
            mails.push(serde_json::from_slice(&std::fs::read(entry.path())?)?);
        }
    }
    Ok(mails)
}

/// The header `Content-Language` (RFC 3282 §2) with a language tag.
#[derive(Clone)]
struct ContentLanguage(&'static str);

impl Header for ContentLanguage {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Language")
    }

    fn parse(value: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Language::of(value).map(|language| Self(language.tag())).ok_or_else(|| "has no texts".into())
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.into())
    }
}

/// The header `Auto-Submitted: auto-generated` (RFC 3834 §5), which tells automatic responders not to answer.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(id: &str, to: &str) -> SentMail {
        let (to, message_id) = (to.to_owned(), id.to_owned());
        let (subject, text, html) = Default::default();
        SentMail { to, subject, text, html, links: vec![], code: None, message_id, sent_at: Time::UNIX_EPOCH }
    }

    #[test]
    fn a_folder_returns_the_mails_of_one_recipient_or_all() {
        let folder = tempfile::tempdir().unwrap();
        // The first three have the same prefix.
        for (id, to) in [("1", "a/b@x.test"), ("2", "a_b@x.test"), ("3", "a_b@x.test"), ("4", "a@x.test-b")] {
            write_file(folder.path(), &mail(id, to)).unwrap();
        }
        let transport = Transport::Folder(folder.path().into());
        let mailer = Mailer { from: "portico@x.test".parse().unwrap(), transport };
        for (recipient, count) in [(Some("a/b@x.test"), 1), (Some("a_b@x.test"), 2), (Some("a@x.test"), 0), (None, 4)] {
            assert_eq!(mailer.sent(recipient).unwrap().len(), count, "{recipient:?}");
        }
    }
}
