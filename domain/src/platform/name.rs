//! Names of people, clients and tenants.

use std::{borrow::Cow, fmt, net::Ipv4Addr, str::FromStr};

use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::platform::error::FieldProblem;

/// The maximum length of a name, in characters.
const MAX_CHARACTERS: usize = 100;

/// A name of 1 to 100 characters, in Unicode NFC, with a visible character, without white space around it, control
/// characters or web addresses.
///
/// Web addresses are refused because names occur in mails to other people; a dotted word such as `Amazon.com` is
/// accepted. A name that a mail program could decode as an encoded word (RFC 2047) is checked as it stands and as
/// decoded. Parsing trims and normalizes the text. It fails with the code `name_empty`, `name_too_long` or
/// `name_invalid`.
///
/// ```
/// use portico_domain::platform::name::Name;
///
/// let name: Name = " Ann Müller ".parse().unwrap();
/// assert_eq!(name.as_str(), "Ann Müller");
/// assert_eq!("https://example.com".parse::<Name>().unwrap_err().code, "name_invalid");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = FieldProblem;

    fn from_str(typed: &str) -> Result<Self, FieldProblem> {
        // Checked first, because normalizing a long text takes time.
        if typed.len() > 16 * MAX_CHARACTERS {
            return Err(FieldProblem::new("name_too_long", "must have at most 100 characters"));
        }
        let name: String = typed.trim().nfc().collect();
        match name.chars().count() {
            0 => return Err(FieldProblem::new("name_empty", "must not be empty")),
            count if count > MAX_CHARACTERS => {
                return Err(FieldProblem::new("name_too_long", "must have at most 100 characters"));
            }
            _ => {}
        }
        if !name.chars().any(is_visible) {
            return Err(FieldProblem::new("name_empty", "must have a visible character"));
        }
        for shown in [&name, &*as_decoded(&name)] {
            if shown.chars().any(is_forbidden) {
                return Err(FieldProblem::new("name_invalid", "must not contain control characters"));
            }
            if looks_like_link(shown) {
                return Err(FieldProblem::new("name_invalid", "must not contain a web address"));
            }
        }
        Ok(Self(name))
    }
}

/// Returns what a mail program may show for `name` in a header: with every encoded word (RFC 2047 §2) decoded.
fn as_decoded(name: &str) -> Cow<'_, str> {
    if !name.contains("=?") {
        return name.into();
    }
    // The parser reads a whole header. It decodes words in any charset, and leaves out those that it cannot decode.
    let header = format!("Subject: {name}");
    mailparse::parse_header(header.as_bytes()).map_or(name.into(), |(header, _)| header.get_value().into())
}

/// Returns whether `c` leaves a mark when it is shown.
fn is_visible(c: char) -> bool {
    // Letters and symbols without a glyph: the Hangul fillers, the empty Braille pattern and the empty note head.
    let is_blank = matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}' | '\u{1d159}');
    let has_glyph = matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter
            | GeneralCategoryGroup::Number
            | GeneralCategoryGroup::Punctuation
            | GeneralCategoryGroup::Symbol
    );
    has_glyph && !is_blank
}

/// Returns whether `c` is a control character, a line or paragraph separator, or a mark that changes the text
/// direction.
fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns whether `c` is invisible and without meaning to programs that cannot show it, for example a zero-width space
/// (Unicode property `Default_Ignorable_Code_Point`).
fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Returns whether `name` looks like a link.
///
/// A link contains a URL scheme, `www.` at the start of a word, `//`, or a word that has a host and one of `/?#:@`.
/// `J.R. Smith`, `S.p.A./S.r.l.` and `Amazon.com` are valid names of people and companies. Mails write them in a form
/// that mail programs do not show as links.
fn looks_like_link(name: &str) -> bool {
    // Programs that find links do not see some characters, for example a soft hyphen, and read others as ASCII ones,
    // for example a full-width dot.
    let seen = name.chars().filter(|c| !is_ignorable(*c)).nfkc().collect::<String>().replace('\u{3002}', ".");
    let lower = seen.to_lowercase();
    let begins_word = |at: usize| !lower[..at].ends_with(char::is_alphanumeric);
    let is_in_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let has_host = |word: &str| word.contains(['/', '?', '#', ':', '@']) && word.split(|c| !is_in_host(c)).any(is_host);
    lower.contains("//")
        || ["http:", "https:", "mailto:", "javascript:"].iter().any(|scheme| lower.contains(scheme))
        || lower.match_indices("www.").any(|(at, _)| begins_word(at))
        || seen.split_whitespace().any(has_host)
}

/// Top-level domains that are in no public list but lead somewhere in a private network or in a test (RFC 6761).
const SPECIAL_TLDS: [&str; 7] = ["example", "internal", "invalid", "local", "localhost", "onion", "test"];
/// Abbreviations in names that end with a top-level domain, without the dot at the end. They are no hosts in this
/// spelling.
const ABBREVIATIONS: [&str; 23] = [
    "B.Ch",
    "B.Com",
    "B.Sc",
    "B.Tech",
    "B.Th",
    "Co.Inc",
    "Co.KG",
    "Co.Kg",
    "Co.Ltd",
    "D.Sc",
    "Dipl.Ing",
    "Dr.med",
    "Dr.med.vet",
    "M.Ch",
    "M.Com",
    "M.Sc",
    "M.St",
    "M.Tech",
    "M.Th",
    "Prof.Dr.med",
    "Pte.Ltd",
    "Pty.Ltd",
    "Pvt.Ltd",
];

/// Returns whether `text` is an IPv4 address, or a host name in a top-level domain that exists and no abbreviation.
fn is_host(text: &str) -> bool {
    let bare = text.trim_matches('.');
    let lower = bare.to_lowercase();
    let Some((_, tld)) = lower.rsplit_once('.') else { return false };
    let is_tld = SPECIAL_TLDS.contains(&tld) || idna::domain_to_ascii(tld).is_ok_and(|tld| tld::exist(&tld));
    (is_tld && !ABBREVIATIONS.contains(&bare)) || bare.parse::<Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_names_are_accepted_and_others_refused() {
        for good in [
            "Ann",
            "A/B Testing Ltd",
            "Re: Volt",
            "awww. nice",
            "J.R. O'Brien",
            "Zoë",
            "Ltd. & Co",
            "李小龙",
            "Amazon.com",
        ] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        assert_eq!("  e\u{301} ".parse::<Name>().unwrap().as_str(), "é");
        let long = "x".repeat(101);
        for bad in [
            "",
            "  ",
            "a\nb",
            "a\0",
            "\u{1b}[31m",
            "Win http://evil.test",
            "www.evil.test",
            "evil.test/x",
            "a\u{202e}b",
            &long,
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
        assert!("é".repeat(100).parse::<Name>().is_ok());
    }

    fn code(name: &str) -> Option<&'static str> {
        name.parse::<Name>().err().map(|problem| problem.code)
    }

    #[test]
    fn abbreviations_and_places_are_no_web_addresses() {
        for good in [
            "Rossi S.p.A./S.r.l.",
            "Acme U.S./Canada",
            "Ph.D./M.D.",
            "St.Gallen/Zürich",
            "B.Sc./M.Sc.",
            "B.Sc/M.Sc",
            "B.Com/M.Com",
            "Foo Co.Ltd/Beijing",
            "Foo Co.,Ltd./Beijing",
            "Co.KG/Partner",
            "Ann (B.Tech/M.Tech)",
            "Pty.Ltd./Sydney",
            "Dr.med./Dr.rer.nat.",
            "c\u{ad}o/op Ltd",
            "👩\u{200d}🚀/Space Ltd",
            "Novák s.r.o./a.s.",
            "No.1/No.2",
            "J.P.Morgan/Chase",
            "Sp. z o.o./Sp.k.",
            "1.5/2.5",
        ] {
            assert_eq!(code(good), None, "{good}");
        }
        for bad in [
            "evil.com/x",
            "Evil.Com/X",
            "evil.co.uk:8080",
            "win@evil.com",
            "evil.com?x",
            "evil.com#x",
            "(evil.com)/x",
            "evil.com./x",
            "bit.ly./3xYz",
            "t.co./x",
            "wa.me./1",
            "Bit.Ly./3xYz",
            "b.sc/x",
            "b.com./x",
            "co.ltd:80",
            "evil.Co.Ltd/x",
            "B.Sc.evil.com/x",
            "evil.\u{200b}com/x",
            "evil\u{ad}.com/x",
            "evil\u{2060}.com/x",
            "ev\u{fe0f}il.c\u{200d}om/x",
            "evil.com\u{feff}/x",
            "evil.co\u{e0041}m?x",
            "w\u{200b}ww.evil",
            "htt\u{34f}p:x",
            "a /\u{180b}/b",
            "=?utf-8?q?evil=2E=E2=80=8Bcom/x?=",
            "evil.рф/x",
            "evil.xn--p1ai/x",
            "evil．com/x",
            "evil。com/x",
            "127.0.0.1:8080",
            "10.0.0.1/x",
            "evil.test/x",
            "ｈttp://a",
        ] {
            assert_eq!(code(bad), Some("name_invalid"), "{bad}");
        }
    }

    #[test]
    fn encoded_word_is_checked_as_a_mail_program_shows_it() {
        for bad in [
            "=?utf-8?b?V2luIDEgQlRDIGh0dHA6Ly9ldmlsLnRlc3QveA==?=",
            "=?UTF-8?B?V2luIDEgQlRDIGh0dHA6Ly9ldmlsLnRlc3QveA==?=",
            "=?utf-8?q?http=3A=2F=2Fevil.test?=",
            "=?iso-8859-1?Q?evil.test=2Fx?=",
            "=?utf-8?b?aHR0cDov?= =?utf-8?b?L2V2aWwudGVzdA==?=",
            "Acme =?utf-8?q?www=2Eevil.test?= Ltd",
            "=?utf-8?q?a=0D=0Ab?=",
            "=?utf-8?q?a=E2=80=AEb?=",
        ] {
            assert_eq!(code(bad), Some("name_invalid"), "{bad}");
        }
        for good in ["=?utf-8?q?Acme?=", "What =? Ltd", "=?x?=", "1=?b?c"] {
            assert_eq!(code(good), None, "{good}");
        }
    }

    #[test]
    fn name_has_a_visible_character() {
        for blank in [
            "\u{200b}",
            "\u{2060}\u{feff}",
            "\u{3164}",
            "\u{2800} \u{2800}",
            "\u{ad}",
            "\u{200d}\u{200c}",
            "\u{e0041}\u{e0042}",
            "\u{115f}\u{1160}",
            "\u{ffa0}",
            "\u{fe0f}",
            "\u{34f}",
            "\u{180e}",
        ] {
            assert_eq!(code(blank), Some("name_empty"), "{blank:?}");
        }
        for good in ["\u{200b}A", "👩\u{200d}🚀", "李", "7", "&", "ქართული", "‌می‌خواهم"]
        {
            assert_eq!(code(good), None, "{good:?}");
        }
    }
}
