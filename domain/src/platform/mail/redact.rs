//! Removes secrets from the answers of a mail server. A server may repeat what it has received: a link or a code of the
//! mail, or the password of a login.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::Message;

/// What stands in place of a secret.
const REDACTED: &str = "…";
/// The shortest part of a secret that is removed, in characters. A server may break a line within a secret, or put
/// other characters before it.
const MIN_PART_CHARS: usize = 8;
/// A code of a mail has this many digits.
const CODE_DIGITS: usize = 6;

/// The secrets that a mail server has received.
pub(super) struct Redactor(Vec<String>);

impl Redactor {
    /// Returns the secrets of a user name and password.
    pub(super) fn of_credentials(credentials: Option<&(String, String)>) -> Self {
        let secrets = credentials.map(|(user, password)| {
            let encoded = [password.clone(), format!("\0{user}\0{password}")].map(|text| BASE64_STANDARD.encode(text));
            [password.clone()].into_iter().chain(encoded).filter(|secret| secret.len() >= MIN_PART_CHARS).collect()
        });
        Self(secrets.unwrap_or_default())
    }

    /// Adds the link tokens and codes in `message`.
    pub(super) fn with_message(mut self, message: &Message) -> Self {
        let tokens = message.text.split("token=").skip(1).map(|rest| runs(rest).next().unwrap_or_default());
        let is_code = |run: &&str| run.len() == CODE_DIGITS && run.bytes().all(|byte| byte.is_ascii_digit());
        let codes = runs(&message.text).filter(is_code);
        self.0.extend(tokens.chain(codes).filter(|secret| !secret.is_empty()).map(str::to_owned));
        self
    }

    /// Returns `text` without the secrets, and without parts of them.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            text = text.replace(secret, REDACTED);
        }
        for part in self.parts_in(&text) {
            text = text.replace(&part, REDACTED);
        }
        text
    }

    /// Returns the longest parts of `text` that are parts of secrets.
    fn parts_in(&self, text: &str) -> Vec<String> {
        let mut parts = Vec::new();
        for run in runs(text) {
            let is_part = |from: usize, to: usize| self.0.iter().any(|secret| secret.contains(&run[from..to]));
            let mut from = 0;
            while from + MIN_PART_CHARS <= run.len() {
                let longest = (from + MIN_PART_CHARS..=run.len()).take_while(|to| is_part(from, *to)).last();
                parts.extend(longest.map(|to| run[from..to].to_owned()));
                from = longest.unwrap_or(from + 1);
            }
        }
        parts
    }
}

/// Returns the longest sequences of the characters of base64url (RFC 4648 §5).
fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).filter(|run| !run.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::language::Language;

    const TOKEN: &str = "kL3-x_9QzTnA0bVwYp7HsRjGm2cEuDfI5oKtXaZ8qWs";

    fn redacted(text: &str) -> String {
        let message = Message {
            to: "ann@x.test".parse().unwrap(),
            language: Language::English,
            subject: "Reset".into(),
            text: format!("Open https://x.test/portal/reset-password#token={TOKEN} or use 582430.\n"),
            html: String::new(),
            image: None,
            message_id: "<1@x.test>".into(),
        };
        let credentials = ("mailer".to_owned(), "pa55 word".to_owned());
        Redactor::of_credentials(Some(&credentials)).with_message(&message).redact(text)
    }

    #[test]
    fn what_a_server_repeats_of_the_mail_is_removed() {
        let encoded = BASE64_STANDARD.encode("\0mailer\0pa55 word");
        for text in [
            format!("550 5.7.1 blocked: https://x.test/portal/reset-password#token={TOKEN}"),
            format!("550 5.7.1 blocked: %23token%3D{TOKEN}%20"),
            format!("550 TOKEN={TOKEN}."),
            format!("550 {TOKEN}"),
            format!("550 {} {}", &TOKEN[..20], &TOKEN[20..]),
            format!("550 {}", &TOKEN[..9]),
            format!("550 token=3D{}=", &TOKEN[..30]),
            format!("550 %23token%3D{}", &TOKEN[..12]),
            "550 your code is 582430".to_owned(),
            "530 no pa55 word for mailer".to_owned(),
            format!("503 AUTH PLAIN {encoded}"),
        ] {
            let shown = redacted(&text);
            assert!(shown.contains(REDACTED), "{shown}");
            let secrets = [TOKEN, &TOKEN[..9], &TOKEN[20..29], "582430", "pa55", &encoded];
            assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
        }
    }

    #[test]
    fn other_words_are_kept() {
        for text in
            ["250 2.0.0 Ok: queued as 4Fg7Hk2Jz9", "550 5.1.1 <ann@x.test>: no such user", "451 try in 300 seconds"]
        {
            assert_eq!(redacted(text), text);
        }
    }
}
