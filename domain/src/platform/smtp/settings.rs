//! The settings of the SMTP client: a parsed `MAIL_URL` of the schemes `smtp` and `smtps`.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    time::Duration,
};

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::platform::env_reader::duration;

/// The default of `?connections=`.
const DEFAULT_CONNECTIONS: usize = 32;
/// The default of `?answer=` (RFC 5321 §4.5.3.2.6) and of `?repeat=`.
const TEN_MINUTES: Duration = Duration::from_secs(600);
/// The maximum of both.
const MAX_PERIOD: Duration = Duration::from_secs(4 * 3_600);
/// The maximum length of a domain, in characters (RFC 5321 §4.5.3.1.2).
const MAX_DOMAIN_CHARS: usize = 255;
/// How the errors end.
const EXAMPLE: &str = "e.g. MAIL_URL=smtps://user:password@mail.example.com";

/// An SMTP server and how to use it. Its `Debug` output contains no credentials.
#[derive(Clone)]
pub struct SmtpServer {
    /// The host name or IP address. The certificate of the server must be valid for it, unless it is pinned.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// The user name and the password; `None` if the server requires none.
    pub credentials: Option<(String, String)>,
    /// Which certificates are accepted.
    pub trust: Trust,
    /// What EHLO says (`?ehlo=`); `None`: the host of the public URL.
    pub ehlo: Option<String>,
    /// How many connections one process uses at the same time (`?connections=`).
    pub connections: usize,
    /// How many mails one process sends (`?rate=`); `None`: as many as it can.
    pub rate: Option<SendRate>,
    /// How long the server may take to answer the final dot (`?answer=`).
    pub answer: Duration,
    /// When a mail whose final dot was not answered is repeated (`?repeat=`).
    pub repeat: Duration,
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

/// Which certificates of a server are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those of the public authorities, and of the authorities in this PEM file (`?ca=`).
    Authorities(Option<PathBuf>),
    /// Only the certificate whose DER encoding has this SHA-256 (`?pin=sha256:`), with any name, dates and issuer.
    Pinned([u8; 32]),
}

/// How many mails may be sent in a period, evenly spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendRate {
    /// The number of mails, at least 1.
    pub mails: u32,
    /// The period.
    pub window: Duration,
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ({:?})", self.host, self.port, self.encryption)
    }
}

impl SmtpServer {
    /// Parses `smtp://user:password@host:port?tls=required` or `smtps://…`. `is_production` refuses opportunistic
    /// encryption.
    ///
    /// # Errors
    /// A sentence that follows the name of the variable. It quotes nothing of the value, which may have a password.
    pub(crate) fn parse(value: &str, is_production: bool) -> Result<Self, String> {
        let schemes = || format!("must be folder:PATH, memory:, smtp://… or smtps://…, {EXAMPLE}");
        let url = Url::parse(value).map_err(|_| schemes())?;
        // A part of a password that is not encoded. The URL parser takes what is before it for the host.
        if url.fragment().is_some() || !matches!(url.path(), "" | "/") {
            return Err(format!(
                "must have nothing after the port, and #, / and ? of a password as %23, %2F and %3F, {EXAMPLE}"
            ));
        }
        let parameters = Parameters::of(&url)?;
        let encryption = match (url.scheme(), parameters.tls.as_deref()) {
            ("smtps", None) => Encryption::Implicit,
            ("smtp", None | Some("required")) => Encryption::Required,
            ("smtp", Some("opportunistic")) if !is_production => Encryption::Opportunistic,
            ("smtp", Some("opportunistic")) => {
                return Err(format!("must not be opportunistic in production, {EXAMPLE}"));
            }
            ("smtp", Some("none")) => Encryption::None,
            ("smtp", Some(_)) => return Err(format!("must have tls=required, opportunistic or none, {EXAMPLE}")),
            _ => return Err(schemes()),
        };
        // Parsed again, because the URL parser accepts any text as the host of a scheme that it does not know.
        let host = match url.host_str().and_then(|host| Host::parse(host).ok()) {
            Some(Host::Domain(name)) => name,
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(format!("must name a host, {EXAMPLE}")),
        };
        let port = url.port().unwrap_or(if encryption == Encryption::Implicit { 465 } else { 587 });
        let credentials = credentials(&url)?;
        if credentials.is_some() && matches!(encryption, Encryption::Opportunistic | Encryption::None) {
            return Err(format!("must encrypt the connection that carries credentials, {EXAMPLE}"));
        }
        if encryption == Encryption::None && parameters.trust != Trust::Authorities(None) {
            return Err(format!("must not have ca or pin without TLS, {EXAMPLE}"));
        }
        let Parameters { trust, ehlo, connections, rate, answer, repeat, .. } = parameters;
        Ok(Self { host, port, encryption, credentials, trust, ehlo, connections, rate, answer, repeat })
    }
}

/// The parameters of `MAIL_URL`.
struct Parameters {
    tls: Option<String>,
    trust: Trust,
    ehlo: Option<String>,
    connections: usize,
    rate: Option<SendRate>,
    answer: Duration,
    repeat: Duration,
}

impl Parameters {
    fn of(url: &Url) -> Result<Self, String> {
        let mut parameters = Self {
            tls: None,
            trust: Trust::Authorities(None),
            ehlo: None,
            connections: DEFAULT_CONNECTIONS,
            rate: None,
            answer: TEN_MINUTES,
            repeat: TEN_MINUTES,
        };
        let mut names = Vec::new();
        for (name, value) in url.query_pairs() {
            if names.contains(&name) {
                return Err(format!("must have each parameter once, {EXAMPLE}?ca=/ca.pem"));
            }
            names.push(name.clone());
            let has_trust = parameters.trust != Trust::Authorities(None);
            match &*name {
                "tls" => parameters.tls = Some(value.into_owned()),
                "ca" | "pin" if has_trust => return Err(format!("must have one of ca and pin, {EXAMPLE}?ca=/ca.pem")),
                "ca" if value.is_empty() => return Err(format!("must name a file after ca=, {EXAMPLE}?ca=/ca.pem")),
                "ca" => parameters.trust = Trust::Authorities(Some(PathBuf::from(&*value))),
                "pin" => parameters.trust = Trust::Pinned(pin(&value)?),
                "ehlo" => parameters.ehlo = Some(ehlo(&value)?),
                "connections" => parameters.connections = connections(&value)?,
                "rate" => parameters.rate = Some(rate(&value)?),
                "answer" => parameters.answer = period("answer", &value)?,
                "repeat" => parameters.repeat = period("repeat", &value)?,
                _ => return Err(format!("has an unknown parameter, {EXAMPLE}?ca=/ca.pem")),
            }
        }
        Ok(parameters)
    }
}

/// Returns the user and the password of `url`, percent-decoded (RFC 3986 §2.1).
fn credentials(url: &Url) -> Result<Option<(String, String)>, String> {
    let decoded = |text: &str| match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(format!("has credentials that are not percent-encoded UTF-8, {EXAMPLE}")),
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        (user, Some(password)) if !user.is_empty() => Ok(Some((decoded(user)?, decoded(password)?))),
        _ => Err(format!("must have both a user and a password, or neither, {EXAMPLE}")),
    }
}

fn pin(value: &str) -> Result<[u8; 32], String> {
    let hexadecimal = value.strip_prefix("sha256:").map(|digits| digits.replace(':', ""));
    let sha256 = hexadecimal.and_then(|digits| hex::decode(digits).ok()).and_then(|bytes| bytes.try_into().ok());
    sha256.ok_or_else(|| {
        "must have the SHA-256 of a certificate as pin, as `openssl x509 -fingerprint -sha256` prints it, \
         e.g. ?pin=sha256:0123…cdef"
            .to_owned()
    })
}

/// A domain, or an address literal such as `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3).
fn ehlo(value: &str) -> Result<String, String> {
    let is_valid = match value.strip_prefix('[').and_then(|value| value.strip_suffix(']')) {
        Some(literal) => match literal.strip_prefix("IPv6:") {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => literal.parse::<Ipv4Addr>().is_ok(),
        },
        None => {
            let is_domain = matches!(Host::parse(value), Ok(Host::Domain(name)) if name == value.to_ascii_lowercase());
            is_domain && value.len() <= MAX_DOMAIN_CHARS && value.split('.').all(is_label)
        }
    };
    if is_valid {
        Ok(value.to_owned())
    } else {
        Err("must have a host name as ehlo, e.g. ?ehlo=app.example.com".into())
    }
}

/// Returns whether `label` is a part of a host name (RFC 1123 §2.1).
fn is_label(label: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=63).contains(&label.len()) && label.chars().all(is_allowed) && !label.starts_with('-') && !label.ends_with('-')
}

fn connections(value: &str) -> Result<usize, String> {
    let number = value.parse().ok().filter(|number| (1..=1_000).contains(number));
    number.ok_or_else(|| "must have 1 to 1000 connections, e.g. ?connections=3".into())
}

fn rate(value: &str) -> Result<SendRate, String> {
    let parsed = value.split_once('/').and_then(|(mails, window)| {
        let mails = mails.parse().ok().filter(|mails| *mails > 0)?;
        Some(SendRate { mails, window: duration(window).ok()? })
    });
    parsed.ok_or_else(|| "must have a number of mails and a period as rate, e.g. ?rate=30/1m".into())
}

fn period(name: &str, value: &str) -> Result<Duration, String> {
    let period = duration(value).ok().filter(|period| *period <= MAX_PERIOD);
    period.ok_or_else(|| format!("must have a duration of at most 4 hours as {name}, e.g. ?{name}=10m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> SmtpServer {
        SmtpServer::parse(url, true).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn credentials_require_encryption() {
        for url in ["smtp://u:p@h?tls=none", "smtp://u:p@h?tls=opportunistic"] {
            assert!(SmtpServer::parse(url, false).unwrap_err().contains("encrypt"), "{url}");
        }
        let server = parse("smtp://us%40er:p%2Fw%3Dd+1@h?ca=/x.pem");
        assert_eq!((server.encryption, server.port), (Encryption::Required, 587));
        assert_eq!(server.credentials, Some(("us@er".into(), "p/w=d+1".into())));
        assert!(!format!("{server:?}").contains("p/w"));
        for (written, password) in [("a&b", "a&b"), ("a=b&c=d", "a=b&c=d"), ("%C3%A9%26", "é&")] {
            assert_eq!(parse(&format!("smtps://u:{written}@h")).credentials, Some(("u".into(), password.into())));
        }
        assert!(SmtpServer::parse("smtps://u:%FF@h", true).unwrap_err().contains("percent-encoded"));
        let server = parse("smtps://[2001:db8::1]:25");
        assert_eq!((&*server.host, server.port), ("2001:db8::1", 25), "without brackets, as the resolver expects it");
    }

    #[test]
    fn parameters_are_read() {
        let server = parse("smtps://h?connections=3&rate=30/1m&answer=5s&repeat=1s&ehlo=app.example.com");
        assert_eq!(server.connections, 3);
        assert_eq!(server.rate, Some(SendRate { mails: 30, window: Duration::from_secs(60) }));
        assert_eq!((server.answer, server.repeat), (Duration::from_secs(5), Duration::from_secs(1)));
        assert_eq!(server.ehlo.as_deref(), Some("app.example.com"));
        for digits in ["ab".repeat(32), "AB:".repeat(31) + "AB"] {
            assert_eq!(parse(&format!("smtps://h?pin=sha256:{digits}")).trust, Trust::Pinned([0xab; 32]));
        }
        for ehlo in ["[192.0.2.1]", "[IPv6:2001:db8::1]", "Relay-1.Example.com"] {
            assert_eq!(parse(&format!("smtps://h?ehlo={ehlo}")).ehlo.as_deref(), Some(ehlo));
        }
    }

    #[test]
    fn wrong_parameters_are_refused_with_an_example() {
        assert!(parse("smtp://h:25?tls=none").credentials.is_none(), "an explicit tls=none is allowed");
        for url in [
            "",
            "smtp://",
            "http://h",
            "smtp://u@h",
            "smtp://h?tls=maybe",
            "smtp://h?x=1",
            "smtps://h?tls=none",
            "smtp://h?tls=opportunistic",
            "smtps://h?ca=",
            "smtps://h?ca=/a&pin=sha256:00",
            "smtps://h?pin=sha256:00",
            "smtps://h?pin=md5:00",
            "smtp://h?tls=none&ca=/a",
            "smtps://h?ehlo=a b",
            "smtps://h?ehlo=",
            "smtps://h?rate=5",
            "smtps://h?rate=0/1m",
            "smtps://h?connections=0",
            "smtps://h?answer=10",
            "smtps://h?repeat=soon",
            "smtps://h?answer=5h",
            "smtps://h?ehlo=[x]",
            "smtps://h?ehlo=[::1]",
            "smtps://h?ehlo=[IPv6:192.0.2.1]",
            "smtps://h?ehlo=a..b",
            "smtps://h?ehlo=.",
            "smtps://h?ehlo=-a.b",
            "smtp://h?tls=none&tls=required",
            "smtp://mailer:2024#secret@relay.test",
            "smtp://mailer:12/secret@relay.test",
            "smtp://mailer:12?secret@relay.test",
            "smtp://h/path",
            "smtps://h?ehlo=a%0d%0aMAIL",
        ] {
            assert!(SmtpServer::parse(url, true).unwrap_err().contains("e.g. "), "{url}");
        }
    }
}
