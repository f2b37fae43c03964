//! An e-mail address in its one normal form.

use std::{fmt, str::FromStr};

use unicode_normalization::{UnicodeNormalization, is_nfkc};

use crate::error::{Error, FieldProblem, Result};

/// The longest address, in bytes (RFC 5321 §4.5.3.1.3, less the angle brackets).
const MAX_BYTES: usize = 254;
/// The longest part before the `@`, in bytes (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// Exactly one address: an ASCII dot-atom (RFC 5322 §3.2.3), `@`, and a domain as UTS-46 A-labels, in lower case.
///
/// What Unicode would fold into another text is refused, not folded: `mıke@` must never become `mike@`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The normal form, as stored and as mailed to.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An address that stands in a row, where only normal forms are put.
    ///
    /// # Errors
    /// `internal` when it is none after all.
    pub(crate) fn stored(address: &str) -> Result<Self> {
        address.parse().map_err(|_| Error::Internal("a stored address is not one".into()))
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }

    /// The mailbox without its `+tag`: two people may differ only there, but they share send limits. A `+` that it begins with is
    /// its name.
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
        // Before anything that costs more than looking at the length.
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
        // UTS-46 would map some characters away or into others; what it changes beyond case is refused, not folded.
        let is_kept = domain == typed_domain || idna::domain_to_unicode(&domain).0 == typed_domain;
        if !is_domain(&domain) || !is_kept {
            return Err(invalid());
        }
        let address = format!("{}@{domain}", local.to_ascii_lowercase());
        if address.len() > MAX_BYTES { Err(invalid()) } else { Ok(Self(address)) }
    }
}

fn is_dot_atom(local: &str) -> bool {
    let is_atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

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
    fn one_normal_form() {
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
    fn whatever_is_not_one_plain_address_is_refused() {
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
