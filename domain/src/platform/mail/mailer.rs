//! The transports that deliver mail: SMTP, a folder, or memory.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use portico_entity::background_job::Lane;
use serde::{Deserialize, Serialize};

use super::{MailSettings, MailUrl, Message, smtp::Smtp};
use crate::platform::clock::Time;

/// A transport that delivers mail. Clones share the same transport.
#[derive(Clone)]
pub enum Mailer {
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
    /// The HTML body.
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

/// Why a mail was not sent. Each variant holds the reply of the server or the description of the error.
#[derive(Debug, PartialEq, Eq)]
pub enum MailError {
    /// The server refuses this mail permanently, or the mail cannot be built.
    Permanent(String),
    /// The server refuses this mail for now.
    Transient(String),
    /// No server accepts any mail for now: the server cannot be reached, does not answer, does not offer the required
    /// encryption, or refuses Portico's credentials.
    Down(String),
}

impl std::fmt::Display for MailError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Permanent(reply) | Self::Transient(reply) | Self::Down(reply) => f.write_str(reply),
        }
    }
}

impl std::error::Error for MailError {}

impl Mailer {
    /// Creates the mailer that `settings` describes.
    ///
    /// # Errors
    /// A sentence that names `MAIL_URL`, if the folder cannot be created or the certificate cannot be read.
    pub fn new(settings: &MailSettings) -> Result<Self, String> {
        match &settings.url {
            MailUrl::Memory => Ok(Self::Memory(Arc::default())),
            MailUrl::Folder(path) => {
                std::fs::create_dir_all(path)
                    .map_err(|error| format!("cannot create the folder {} of MAIL_URL: {error}", path.display()))?;
                Ok(Self::Folder(path.clone()))
            }
            MailUrl::Smtp(server) => Ok(Self::Smtp(Arc::new(Smtp::new(server, settings.from.clone())?))),
        }
    }

    /// Sends `message` to its recipient, dated `now`, and returns the reply of the server. The SMTP transport has
    /// separate connections for urgent mail.
    ///
    /// # Errors
    /// See [`MailError`]. After `Transient` and `Down` the mail may have arrived.
    pub async fn send(&self, lane: Lane, message: &Message, now: Time) -> Result<String, MailError> {
        match self {
            Self::Smtp(smtp) => smtp.send(lane, message, now).await,
            Self::Folder(path) => {
                let mail = SentMail::new(message, now);
                write_file(path, &mail).map_err(|error| MailError::Down(error.to_string()))?;
                Ok("written to a file".into())
            }
            Self::Memory(mails) => {
                mails.lock().unwrap_or_else(PoisonError::into_inner).push(SentMail::new(message, now));
                Ok("kept in memory".into())
            }
        }
    }

    /// Checks that mail can be sent, without sending one: connects to the SMTP server and signs in. Returns a sentence
    /// about what was found.
    ///
    /// # Errors
    /// A sentence about what is wrong. It contains no credentials.
    pub async fn check(&self) -> Result<String, String> {
        match self {
            Self::Smtp(smtp) => smtp.check().await,
            Self::Folder(path) => Ok(format!("mail is written to {}", path.display())),
            Self::Memory(_) => Ok("mail is kept in memory".into()),
        }
    }

    /// Returns the mails that were sent to `recipient`, or to any recipient if it is `None`, newest first. Returns none
    /// for the SMTP transport, since Portico cannot read the mailboxes of a server.
    ///
    /// # Errors
    /// An I/O error if the folder or a file in it cannot be read.
    pub fn sent(&self, recipient: Option<&str>) -> io::Result<Vec<SentMail>> {
        let mut mails = match self {
            Self::Smtp(_) => Vec::new(),
            Self::Folder(path) => read_folder(path)?,
            Self::Memory(mails) => mails.lock().unwrap_or_else(PoisonError::into_inner).clone(),
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
            html: message.html.clone(),
            links: words().filter(|word| word.starts_with("http")).map(Into::into).collect(),
            code: words().find(is_code).map(Into::into),
            message_id: message.message_id.clone(),
            sent_at: now,
        }
    }
}

/// Writes `mail` to a file that is named after its `Message-ID`, so that a second attempt replaces the first. The
/// file is renamed into place, so it is either complete or absent.
fn write_file(folder: &Path, mail: &SentMail) -> io::Result<()> {
    let name: String = mail.message_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let (partial, complete) = (folder.join(format!("{name}.part")), folder.join(format!("{name}.json")));
    std::fs::write(&partial, serde_json::to_vec_pretty(mail)?)?;
    std::fs::rename(partial, complete)
}

fn read_folder(folder: &Path) -> io::Result<Vec<SentMail>> {
    let mut mails = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            mails.push(serde_json::from_slice(&std::fs::read(path)?)?);
        }
    }
    Ok(mails)
}
