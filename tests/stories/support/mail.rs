//! A mail as its recipient sees it.

use serde_json::Value;

use super::secrets::{SecretKind, record};

/// A mail that has arrived.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    pub(crate) links: Vec<String>,
    pub(crate) code: Option<String>,
    pub(crate) message_id: String,
}

impl From<&Value> for Mail {
    fn from(mail: &Value) -> Self {
        let text = |name: &str| mail[name].as_str().unwrap_or_default().to_owned();
        let links: Vec<_> =
            mail["links"].as_array().unwrap().iter().map(|link| link.as_str().unwrap().to_owned()).collect();
        let code = mail["code"].as_str().map(str::to_owned);
        links
            .iter()
            .filter_map(|link| link.split_once("#token="))
            .for_each(|(_, token)| record(SecretKind::LinkToken, token));
        code.iter().for_each(|code| record(SecretKind::Code, code));
        Self {
            subject: text("subject"),
            text: text("text"),
            html: text("html"),
            links,
            code,
            message_id: text("message_id"),
        }
    }
}

impl Mail {
    /// Records the link tokens in this text as secrets, so that the stories search for them where no secret may be.
    pub(crate) fn record_secrets(text: &str) {
        let tokens = text.split("#token=").skip(1).filter_map(|rest| rest.split_whitespace().next());
        tokens.for_each(|token| record(SecretKind::LinkToken, token));
    }

    /// The link token of the mail.
    pub(crate) fn token(&self) -> String {
        let link = self.links.iter().find(|link| link.contains("#token=")).expect("the mail has a link with a token");
        link.split_once("#token=").unwrap().1.to_owned()
    }
}
