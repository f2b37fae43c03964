//! Links that begin a mail. Pages do the same (`web/portal/parts/contact-links.ts`).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is encoded in the address of a `mailto:` URI: all but unreserved characters and `@` (RFC 6068 §2). An address
/// may contain `?`, `&` and `%`, which would otherwise begin further fields, such as `bcc`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// Returns the URI that begins a mail to an address.
pub(crate) fn mailto(address: &str) -> String {
    format!("mailto:{}", utf8_percent_encode(address, ENCODED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::email_address::EmailAddress;

    #[test]
    fn address_adds_no_field_to_a_mail() {
        for (address, uri) in [
            ("help@b.test", "mailto:help@b.test"),
            ("a?bcc=c%40evil.test&x@b.test", "mailto:a%3Fbcc%3Dc%2540evil.test%26x@b.test"),
            ("a#{b}/o'c+d@b.test", "mailto:a%23%7Bb%7D%2Fo%27c%2Bd@b.test"),
        ] {
            assert_eq!(mailto(address.parse::<EmailAddress>().unwrap().as_str()), uri);
        }
        assert!("a\"b c@b.test".parse::<EmailAddress>().is_err());
        assert_eq!(mailto("\"a b\"@b.test"), "mailto:%22a%20b%22@b.test");
    }
}
