//! The settings of mail: how it is sent, and how long the mail log keeps it.

use std::{path::PathBuf, time::Duration};

use lettre::{Address, message::Mailbox};

use crate::platform::{
    env_reader::{EnvReader, duration},
    settings::Section,
    smtp::SmtpServer,
};

/// The shortest retention of the mail log. A mail is tried for up to 72 hours.
const MIN_LOG_RETENTION: Duration = Duration::from_secs(4 * 86_400);

/// How mail is sent, from which address, and how long the mail log keeps it.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// How mail is sent (`MAIL_URL`).
    pub url: MailUrl,
    /// The sender of every mail (`MAIL_FROM`).
    pub from: Mailbox,
    /// How long the mail log keeps a mail (`PORTICO_MAIL_LOG_RETENTION`), 180 days by default.
    pub log_retention: Duration,
}

/// A parsed `MAIL_URL`.
#[derive(Clone, Debug)]
pub enum MailUrl {
    /// Mails are written to files in this folder. The development mailbox page shows them.
    Folder(PathBuf),
    /// Mails are kept in memory until the process ends.
    Memory,
    /// Mails are sent to an SMTP server (RFC 5321).
    Smtp(SmtpServer),
}

impl Section for MailSettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "How mail is sent: `folder:PATH`, `memory:`, `smtp://user:password@host:port` (STARTTLS is \
            required, unless `?tls=opportunistic` or `?tls=none` is given), or `smtps://…` (TLS from the first byte). \
            Credentials are never sent over an unencrypted connection. Production accepts SMTP only and refuses \
            `opportunistic`. There, the connection is unencrypted only if `?tls=none` is given. `?ca=PATH` trusts one \
            more certificate authority, `?pin=sha256:HEX` trusts one certificate only. `?ehlo=NAME` is what EHLO says \
            (the host of the public URL if it is not given). `?connections=32` and `?rate=30/1m` limit what one process \
            opens and sends. `?answer=10m` is how long the server may take to accept a mail, and `?repeat=10m` is when \
            a mail is sent again after that.";
        let production = env.is_production();
        let url = env.read("MAIL_URL", "folder:data/mail", description, |value| parse_url(value, production));
        let description = "The sender of every mail.";
        let from = env.read("MAIL_FROM", "Portico <portico@localhost>", description, parse_from);
        let description = "How long the mail log keeps a mail that was sent, has failed or was not sent. At least `4d`, \
            because a mail waits for up to three days for the mail server.";
        let log_retention = env.read("PORTICO_MAIL_LOG_RETENTION", "180d", description, parse_retention);
        Some(Self { url: url?, from: from?, log_retention: log_retention? })
    }
}

fn parse_url(value: &str, production: bool) -> Result<MailUrl, String> {
    if production && (value.starts_with("folder:") || value.starts_with("memory:")) {
        let example = "e.g. MAIL_URL=smtps://user:password@mail.example.com";
        return Err(format!("must name an SMTP server in production, {example}"));
    }
    if let Some(path) = value.strip_prefix("folder:").filter(|path| !path.is_empty()) {
        return Ok(MailUrl::Folder(path.into()));
    }
    if value == "memory:" {
        return Ok(MailUrl::Memory);
    }
    Ok(MailUrl::Smtp(SmtpServer::parse(value, production)?))
}

fn parse_retention(value: &str) -> Result<Duration, String> {
    let retention = duration(value)?;
    if retention < MIN_LOG_RETENTION { Err("must be at least 4d, e.g. 180d".into()) } else { Ok(retention) }
}

/// Parses a mailbox such as `Portal <portal@example.com>`. An international domain becomes its A-label (RFC 5891),
/// since many servers accept no other characters than ASCII in addresses.
fn parse_from(value: &str) -> Result<Mailbox, String> {
    let wrong = |why: &str| format!("{why}, e.g. MAIL_FROM=\"Portal <portal@example.com>\"");
    let mailbox: Mailbox = value.parse().map_err(|_| wrong("must be a mailbox"))?;
    let (user, domain) = (mailbox.email.user(), mailbox.email.domain());
    if !user.is_ascii() {
        return Err(wrong("must have only ASCII characters before the @"));
    }
    let domain = idna::domain_to_ascii_strict(domain).map_err(|_| wrong("must have a valid domain"))?;
    let email = Address::new(user, domain).map_err(|_| wrong("must be a mailbox"))?;
    Ok(Mailbox::new(mailbox.name, email))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_refuses_local_mail() {
        for url in ["folder:x", "memory:"] {
            assert!(parse_url(url, true).unwrap_err().contains("e.g. "), "{url}");
            assert!(parse_url(url, false).is_ok(), "{url}");
        }
        assert!(parse_url("folder:", false).is_err());
    }

    #[test]
    fn an_international_domain_of_the_sender_becomes_an_a_label() {
        for (value, address) in [
            ("Portal <post@müller.example>", "post@xn--mller-kva.example"),
            ("post@MÜLLER.example", "post@xn--mller-kva.example"),
            ("Büro <büro.x@例え.test>", ""),
            ("x@例え.test", "x@xn--r8jz45g.test"),
            ("x@example.com", "x@example.com"),
        ] {
            let found = parse_from(value).map(|mailbox| mailbox.email.to_string()).unwrap_or_default();
            assert_eq!(found, address, "{value}");
        }
        for value in ["büro@example.com", "no address", "a@b@c", "x@exa mple.com"] {
            assert!(parse_from(value).unwrap_err().contains("e.g. "), "{value}");
        }
    }
}
