//! The settings that say how mail is sent.

use std::{fmt, path::PathBuf};

use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::platform::{env_reader::EnvReader, settings::Section};

/// How mail is sent, and from which address.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// How mail is sent (`MAIL_URL`).
    pub url: MailUrl,
    /// The sender of every mail (`MAIL_FROM`).
    pub from: Mailbox,
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

/// An SMTP server and how to connect to it. Its `Debug` output contains no credentials.
#[derive(Clone)]
pub struct SmtpServer {
    /// The host name or IP address. The certificate of the server must be valid for it.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// The user name and the password; `None` if the server requires none.
    pub credentials: Option<(String, String)>,
    /// The path of a PEM file with a certificate authority that is trusted in addition to the public ones.
    pub ca: Option<PathBuf>,
}

/// How a connection to an SMTP server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first byte (RFC 8314 §3).
    Implicit,
    /// STARTTLS (RFC 3207). A server that does not offer it is refused.
    Required,
    /// STARTTLS if the server offers it, else no encryption.
    Opportunistic,
    /// No encryption.
    None,
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ({:?})", self.host, self.port, self.encryption)
    }
}

impl Section for MailSettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "How mail is sent: `folder:PATH`, `memory:`, `smtp://user:password@host:port` (STARTTLS is \
            required, unless `?tls=opportunistic` or `?tls=none` is given), or `smtps://…` (TLS from the first byte). \
            `?ca=PATH` trusts one more certificate authority. Credentials are never sent over an unencrypted \
            connection. Production accepts SMTP only and refuses `opportunistic`. There, the connection is unencrypted \
            only if `?tls=none` is given.";
        let production = env.is_production();
        let url = env.read("MAIL_URL", "folder:data/mail", description, |value| parse_url(value, production));
        let description = "The sender of every mail.";
        let from = env.read("MAIL_FROM", "Portico <portico@localhost>", description, |value| {
            value.parse().map_err(|_| "must be a mailbox, e.g. MAIL_FROM=\"Portal <portal@example.com>\"".to_owned())
        });
        Some(Self { url: url?, from: from? })
    }
}

fn parse_url(value: &str, production: bool) -> Result<MailUrl, String> {
    let example = "e.g. MAIL_URL=smtps://user:password@mail.example.com";
    if production && (value.starts_with("folder:") || value.starts_with("memory:")) {
        return Err(format!("must name an SMTP server in production, {example}"));
    }
    if let Some(path) = value.strip_prefix("folder:").filter(|path| !path.is_empty()) {
        return Ok(MailUrl::Folder(path.into()));
    }
    if value == "memory:" {
        return Ok(MailUrl::Memory);
    }
    // The value may contain a password, so no error message quotes it.
    let url =
        Url::parse(value).map_err(|_| format!("must be folder:PATH, memory:, smtp://… or smtps://…, {example}"))?;
    let mut ca = None;
    let mut tls = None;
    for (name, value) in url.query_pairs() {
        match &*name {
            "tls" => tls = Some(value.into_owned()),
            "ca" => ca = Some(PathBuf::from(value.into_owned())),
            _ => return Err(format!("has an unknown parameter, {example}?tls=required")),
        }
    }
    let encryption = match (url.scheme(), tls.as_deref()) {
        ("smtps", None) => Encryption::Implicit,
        ("smtp", None | Some("required")) => Encryption::Required,
        ("smtp", Some("opportunistic")) if !production => Encryption::Opportunistic,
        ("smtp", Some("opportunistic")) => return Err(format!("must not be opportunistic in production, {example}")),
        ("smtp", Some("none")) => Encryption::None,
        ("smtp", Some(_)) => return Err(format!("must have tls=required, opportunistic or none, {example}")),
        _ => return Err(format!("must be folder:PATH, memory:, smtp://… or smtps://…, {example}")),
    };
    // Parsed again, because the URL parser accepts any text as the host of a scheme that it does not know.
    let host = match url.host_str().and_then(|host| Host::parse(host).ok()) {
        Some(Host::Domain(name)) => name,
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err(format!("must name a host, {example}")),
    };
    let port = url.port().unwrap_or(if encryption == Encryption::Implicit { 465 } else { 587 });
    // RFC 3986 §2.1.
    let decoded = |text: &str| match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(format!("has credentials that are not percent-encoded UTF-8, {example}")),
    };
    let credentials = match (url.username(), url.password()) {
        ("", None) => None,
        (user, Some(password)) if !user.is_empty() => Some((decoded(user)?, decoded(password)?)),
        _ => return Err(format!("must have both a user and a password, or neither, {example}")),
    };
    if credentials.is_some() && matches!(encryption, Encryption::Opportunistic | Encryption::None) {
        return Err(format!("must encrypt the connection that carries credentials, {example}"));
    }
    Ok(MailUrl::Smtp(SmtpServer { host, port, encryption, credentials, ca }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_require_encryption() {
        for url in ["smtp://u:p@h?tls=none", "smtp://u:p@h?tls=opportunistic"] {
            assert!(parse_url(url, false).unwrap_err().contains("encrypt"), "{url}");
        }
        let MailUrl::Smtp(server) = parse_url("smtp://us%40er:p%2Fw%3Dd+1@h?ca=/x.pem", true).unwrap() else {
            panic!()
        };
        assert_eq!((server.encryption, server.port), (Encryption::Required, 587));
        assert_eq!(server.credentials, Some(("us@er".into(), "p/w=d+1".into())));
        for (written, password) in [("a&b", "a&b"), ("a=b&c=d", "a=b&c=d"), ("%C3%A9%26", "é&")] {
            let MailUrl::Smtp(server) = parse_url(&format!("smtps://u:{written}@h"), true).unwrap() else { panic!() };
            assert_eq!(server.credentials, Some(("u".into(), password.into())));
        }
        assert!(parse_url("smtps://u:%FF@h", true).unwrap_err().contains("percent-encoded"));
        assert!(!format!("{server:?}").contains("p/w"));
        let MailUrl::Smtp(server) = parse_url("smtps://[2001:db8::1]:25", true).unwrap() else { panic!() };
        assert_eq!((&*server.host, server.port), ("2001:db8::1", 25), "without brackets, as the resolver expects it");
    }

    #[test]
    fn production_refuses_local_mail_and_opportunistic_tls() {
        for url in ["folder:x", "memory:", "smtp://h?tls=opportunistic"] {
            assert!(parse_url(url, true).is_err(), "{url}");
            assert!(parse_url(url, false).is_ok(), "{url}");
        }
        assert!(parse_url("smtp://h:25?tls=none", true).is_ok(), "an explicit tls=none is allowed");
        for url in ["", "smtp://", "http://h", "smtp://u@h", "smtp://h?tls=maybe", "smtp://h?x=1", "smtps://h?tls=none"]
        {
            assert!(parse_url(url, false).is_err(), "{url}");
        }
    }
}
