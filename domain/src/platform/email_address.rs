//! E-mail addresses in normal form.

use std::{fmt, str::FromStr};

use unicode_normalization::{UnicodeNormalization, is_nfkc};

use crate::platform::error::{Error, FieldProblem, Result};

/// The maximum length of an address, in bytes (RFC 5321 §4.5.3.1.3, less the angle brackets).
const MAX_BYTES: usize = 254;
/// The maximum length of the part before the `@`, in bytes (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// Exactly one address: an ASCII dot-atom (RFC 5322 §3.2.3), `@`, and a domain as UTS-46 A-labels, all in lower case.
///
/// Parsing removes white space around the text and converts it to lower case. It refuses a text that Unicode
/// normalization would change into another text, because `mıke@` must never become `mike@`. It fails with the code
/// `email_invalid`.
///
/// ```
/// use portico_domain::platform::email_address::EmailAddress;
///
/// let address: EmailAddress = " Ann@Example.com ".parse().unwrap();
/// assert_eq!(address.as_str(), "ann@example.com");
/// assert_eq!("ann".parse::<EmailAddress>().unwrap_err().code, "email_invalid");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Returns the address in normal form. This text is stored, and mail is sent to it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses an address that was read from the database, which contains addresses in normal form only.
    ///
    /// # Errors
    /// `internal` if the text is not an address.
    pub(crate) fn stored(address: &str) -> Result<Self> {
        address.parse().map_err(|_| Error::Internal("an address in the database is not a valid e-mail address".into()))
    }

    /// Returns the part before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }

    /// Returns the address without its `+tag`, as the key of rate limits.
    ///
    /// Addresses that differ only in the tag belong to different people but share the rate limits for mail. A `+` at
    /// the start belongs to the local part and starts no tag.
    pub fn mailbox(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let tag = local.char_indices().skip(1).find(|(_, c)| *c == '+').map_or(local.len(), |(at, _)| at);
        format!("{}@{domain}", &local[..tag])
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EmailAddress {
    type Err = FieldProblem;

    fn from_str(typed: &str) -> std::result::Result<Self, FieldProblem> {
        let invalid = || FieldProblem::new("email_invalid", "must be one e-mail address, such as ann@example.com");
        // Checked first, because every other check takes time that grows with the length.
        if typed.len() > 4 * MAX_BYTES {
            return Err(invalid());
        }
        let typed = typed.trim();
        let (local, domain) = typed.rsplit_once('@').ok_or_else(invalid)?;
        if !is_dot_atom(local) || local.len() > MAX_LOCAL_BYTES || !is_nfkc(domain) || !domain.nfkc().eq(domain.chars())
        {
            return Err(invalid());
        }
        let typed_domain = domain.to_lowercase();
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| invalid())?;
        // UTS-46 removes some characters and maps others. A domain that it changes beyond letter case is refused.
        let is_unchanged = domain == typed_domain || idna::domain_to_unicode(&domain).0 == typed_domain;
        if !is_domain(&domain) || !is_unchanged {
            return Err(invalid());
        }
        let address = format!("{}@{domain}", local.to_ascii_lowercase());
        if address.len() > MAX_BYTES { Err(invalid()) } else { Ok(Self(address)) }
    }
}

/// Returns whether `local` is a dot-atom of ASCII characters (RFC 5322 §3.2.3).
fn is_dot_atom(local: &str) -> bool {
    let is_atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

/// Returns whether `domain` consists of lower-case labels of 1 to 63 characters and is not an IPv4 address.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.split('.').all(is_label) && domain.parse::<std::net::Ipv4Addr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_converted_to_normal_form() {
        for (typed, normal) in [
            (" Ann@Example.COM ", "ann@example.com"),
            ("a+x@b.test", "a+x@b.test"),
            ("o'brien.x@b.test", "o'brien.x@b.test"),
            ("a@bücher.example", "a@xn--bcher-kva.example"),
            ("a@localhost", "a@localhost"),
        ] {
            assert_eq!(typed.parse::<EmailAddress>().unwrap().as_str(), normal);
        }
        assert_eq!("a+x@b.test".parse::<EmailAddress>().unwrap().mailbox(), "a@b.test");
        assert_eq!("+x@b.test".parse::<EmailAddress>().unwrap().mailbox(), "+x@b.test");
        assert_eq!("+x+y+z@b.test".parse::<EmailAddress>().unwrap().mailbox(), "+x@b.test");
    }

    #[test]
    fn text_that_is_not_one_plain_address_is_refused() {
        let long = format!("{}@b.test", "a".repeat(65));
        let longer = format!("a@{}.test", "b.".repeat(130));
        let huge = format!("{}@b.test", "a".repeat(100_000));
        for typed in [
            "",
            "a",
            "@b.test",
            "a@",
            "a@b@c.test",
            "a b@c.test",
            "a..b@c.test",
            ".a@c.test",
            "\"a\"@c.test",
            "a@c.test,d@e.test",
            "Ann <a@c.test>",
            "a@c.test\r\nBcc: d@e.test",
            "mıke@x.test",
            "ＭＩＫＥ@x.test",
            "mi\u{212a}e@x.test",
            "a@exa\u{212a}mple.test",
            "a@ｘ.test",
            "a@exam\u{ad}ple.test",
            "a@b\u{3002}test",
            "a@-b.test",
            "a@b..test",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a@b_c.test",
            "a\0@b.test",
            &long,
            &longer,
            &huge,
        ] {
            assert!(typed.parse::<EmailAddress>().is_err(), "{typed:?}");
        }
    }
}
