//! The ways out for mail: a closed set.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use portico_entity::background_job::Lane;
use serde::{Deserialize, Serialize};

use super::{MailSettings, MailUrl, Message, smtp::Smtp};
use crate::clock::Time;

/// How mail leaves.
#[derive(Clone)]
pub enum Mailer {
    /// To an SMTP server.
    Smtp(Arc<Smtp>),
    /// Into files of a folder, one a mail.
    Folder(PathBuf),
    /// Into memory.
    Memory(Arc<Mutex<Vec<SentMail>>>),
}

/// A mail as the development mailbox shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SentMail {
    /// The recipient.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The page.
    pub html: String,
    /// The links of the text.
    pub links: Vec<String>,
    /// The six-digit code, where there is one.
    pub code: Option<String>,
    /// The same on every attempt.
    pub message_id: String,
    /// When it left.
    pub sent_at: Time,
}

/// Why a mail did not leave.
#[derive(Debug, PartialEq, Eq)]
pub enum MailError {
    /// The server will never take this mail: its answer.
    Permanent(String),
    /// The server does not take it now: its answer.
    Transient(String),
    /// There is no working server: unreachable, hanging, without encryption, or refusing our credentials.
    Down(String),
}

impl std::fmt::Display for MailError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Permanent(answer) | Self::Transient(answer) | Self::Down(answer) => f.write_str(answer),
        }
    }
}

impl std::error::Error for MailError {}

impl Mailer {
    /// The mailer of these settings.
    ///
    /// # Errors
    /// When a folder cannot be made or a certificate cannot be read, in words that name `MAIL_URL`.
    pub fn new(settings: &MailSettings) -> Result<Self, String> {
        match &settings.url {
            MailUrl::Memory => Ok(Self::Memory(Arc::default())),
            MailUrl::Folder(path) => {
                std::fs::create_dir_all(path).map_err(|error| {
                    format!("MAIL_URL names the folder {} that cannot be made: {error}", path.display())
                })?;
                Ok(Self::Folder(path.clone()))
            }
            MailUrl::Smtp(server) => Ok(Self::Smtp(Arc::new(Smtp::new(server, settings.from.clone())?))),
        }
    }

    /// Sends one letter to its one recipient; `lane` has connections of its own.
    ///
    /// # Errors
    /// See [`MailError`]; after `Transient` and `Down` the mail may have arrived all the same.
    pub async fn send(&self, lane: Lane, message: &Message, now: Time) -> Result<String, MailError> {
        match self {
            Self::Smtp(smtp) => smtp.send(lane, message, now).await,
            Self::Folder(path) => {
                let mail = SentMail::new(message, now);
                write_file(path, &mail).map_err(|error| MailError::Down(error.to_string()))?;
                Ok("written".into())
            }
            Self::Memory(mails) => {
                mails.lock().unwrap_or_else(PoisonError::into_inner).push(SentMail::new(message, now));
                Ok("kept".into())
            }
        }
    }

    /// What was sent to `recipient`, or to anybody, newest first. A real server's mailboxes are not ours to read: none.
    ///
    /// # Errors
    /// When the folder cannot be read.
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

/// Under a name of the Message-ID, so that a second attempt replaces the first; whole or not at all.
fn write_file(folder: &Path, mail: &SentMail) -> io::Result<()> {
    let name: String = mail.message_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let (part, whole) = (folder.join(format!("{name}.part")), folder.join(format!("{name}.json")));
    std::fs::write(&part, serde_json::to_vec_pretty(mail)?)?;
    std::fs::rename(part, whole)
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
