//! Names of people, clients and tenants.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::platform::{encoded_words, error::FieldProblem, text::is_ignorable};

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
        let Some(decoded) = encoded_words::decode(&name) else {
            return Err(FieldProblem::new("name_invalid", "must not contain an encoded word of an unknown charset"));
        };
        for shown in [&name, &decoded] {
            if !shown.chars().any(is_visible) {
                return Err(FieldProblem::new("name_empty", "must have a visible character"));
            }
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

/// Returns whether `c` leaves a mark when it is shown.
pub(crate) fn is_visible(c: char) -> bool {
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

/// Returns whether `name` looks like a link.
///
/// A link contains a URL scheme, `www.` at the start of a word, `//`, or a word that has a host and one of `/?#:@%`.
/// `J.R. Smith`, `S.p.A./S.r.l.` and `Amazon.com` are valid names of people and companies. Mails write them in a form
/// that mail programs do not show as links.
fn looks_like_link(name: &str) -> bool {
    // Programs that find links do not see some characters, for example a soft hyphen, and read others as ASCII ones,
    // for example a full-width dot.
    let seen = name.chars().filter(|c| !is_ignorable(*c)).nfkc().map(as_ascii).collect::<String>();
    let lower = seen.to_lowercase();
    let begins_word = |at: usize| !lower[..at].ends_with(char::is_alphanumeric);
    let follows = |end: usize| lower[end..].starts_with(|c: char| !c.is_whitespace());
    let has_scheme =
        |scheme: &&str| lower.match_indices(*scheme).any(|(at, scheme)| begins_word(at) && follows(at + scheme.len()));
    lower.contains("//")
        || WEB_SCHEMES.iter().any(|scheme| lower.contains(scheme))
        || OTHER_SCHEMES.iter().any(has_scheme)
        || lower.match_indices("www.").any(|(at, _)| begins_word(at))
        || seen.split_whitespace().any(is_link)
}

/// Schemes that are refused at any place.
const WEB_SCHEMES: [&str; 4] = ["http:", "https:", "mailto:", "javascript:"];
/// Schemes that are refused at the start of a word, if no space follows, as in `Tel: 12`.
const OTHER_SCHEMES: [&str; 6] = ["data:", "file:", "ftp:", "sms:", "tel:", "vbscript:"];

/// Returns the ASCII character that `c` looks like or stands for in a web address; any other character as it is.
fn as_ascii(c: char) -> char {
    match c {
        '\u{3002}' => '.',
        '\\' | '\u{2044}' | '\u{2215}' | '\u{2571}' | '\u{29f8}' => '/',
        c => c,
    }
}

/// Returns whether `word` has a host and a character of a web address.
fn is_link(word: &str) -> bool {
    // The name of a programming language is no fragment.
    let word = word.trim_end_matches('#');
    let has_literal = || {
        let literal = word.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
        literal.is_some_and(|(address, _)| address.parse::<Ipv6Addr>().is_ok())
    };
    let is_in_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let hosts = || word.split(|c| !is_in_host(c)).filter(|part| is_host(part));
    word.contains(['/', '?', '#', ':', '@', '%'])
        && (has_literal() || hosts().any(|host| !(is_abbreviation(host) && may_follow_abbreviation(word))))
}

/// Top-level domains that are in no public list but lead somewhere in a private network or in a test (RFC 6761).
const SPECIAL_TLDS: [&str; 7] = ["example", "internal", "invalid", "local", "localhost", "onion", "test"];

/// Returns whether `text` is an IPv4 address, `localhost`, or a host name in a top-level domain that exists.
fn is_host(text: &str) -> bool {
    let lower = text.trim_matches('.').to_lowercase();
    let Some((_, tld)) = lower.rsplit_once('.') else { return lower == "localhost" };
    let is_ipv4 = || {
        let numbers: Vec<_> = lower.split('.').map(str::parse::<u32>).collect();
        numbers.len() == 4 && numbers.iter().all(Result::is_ok)
    };
    SPECIAL_TLDS.contains(&tld) || idna::domain_to_ascii(tld).is_ok_and(|tld| tld::exist(&tld)) || is_ipv4()
}

/// Parts of abbreviations in names: of titles, degrees, legal forms and places. Some of them are top-level domains too.
const ABBREVIATIONS: &[&str] = &[
    "ab", "ag", "arch", "art", "as", "asp", "ba", "bhd", "box", "bros", "bv", "ch", "cia", "co", "com", "coop", "corp",
    "cv", "dipl", "dr", "eng", "fil", "gmbh", "hon", "inc", "ing", "iur", "jr", "jur", "kft", "kg", "llc", "llp",
    "ltd", "ltda", "ma", "mag", "mba", "md", "med", "mr", "mrs", "msc", "nat", "net", "nv", "oec", "oy", "oyj", "phd",
    "phil", "plc", "pol", "prof", "pte", "pty", "pvt", "rer", "rev", "sa", "sarl", "sas", "sc", "sdn", "sir", "so",
    "soc", "sp", "spa", "sr", "srl", "st", "tech", "th", "theol", "univ", "vet",
];

/// Returns whether `host` is an abbreviation such as `B.Sc.`, `Co.Ltd` or `S.A.`: all its parts are single letters or
/// parts of abbreviations, and it has a capital letter, as hosts usually have not.
fn is_abbreviation(host: &str) -> bool {
    let lower = host.trim_matches('.').to_lowercase();
    let parts: Vec<&str> = lower.split('.').collect();
    let is_letter = |part: &&str| part.chars().count() == 1;
    let is_known = |part: &&str| is_letter(part) || ABBREVIATIONS.contains(part);
    // Hosts with a single letter and `.co` are services that shorten web addresses.
    let before_last = parts.len().checked_sub(2).map_or("", |index| parts[index]);
    // These are also the ends of many hosts.
    let is_host_after_all = match parts.last() {
        Some(&("com" | "tech")) => !["b", "m"].contains(&before_last),
        Some(&"net") => before_last != "asp",
        // Services that shorten web addresses.
        Some(&"co") => parts.iter().rev().skip(1).all(is_letter),
        _ => false,
    };
    host.contains(char::is_uppercase) && parts.iter().all(is_known) && !is_host_after_all
}

/// Returns whether `word` has only what follows an abbreviation in a name: a slash and then no small letter, because a
/// name or another abbreviation follows.
fn may_follow_abbreviation(word: &str) -> bool {
    let is_path = word.split('/').skip(1).any(|rest| rest.starts_with(char::is_lowercase) && !rest.contains('.'));
    !word.contains(['?', '#', ':', '@', '%']) && !is_path
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
            "Soc.coop./S.r.l.",
            "Cia.Ltda./S.A.",
            "PTE.LTD./INC",
            "CO.LTD./INC",
            "PVT.LTD/X",
            "CO.KG/X",
            "M.SC./B.SC.",
            "Dr.Ing./Dr.",
            "Univ.Prof./Dr.",
            "Mag.art./Dr.phil.",
            "P.O.Box/12",
            "Bros.Co./X",
            "ASP.NET/C#",
            "C.so/Via",
            "Tel: 12",
            "½ Ltd/Co",
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
            "[2001:db8::1]/x",
            "localhost/x",
            "user@localhost",
            "0177.0.0.1/x",
            "data:text/html,x",
            "vbscript:x",
            "file:/etc",
            "Win ftp:evil",
            "tel:123",
            "sms:1",
            "evil.com\u{2044}x",
            "evil.com\u{2215}x",
            "evil.com\u{29f8}x",
            "evil.com\u{2571}x",
            "evil.com\\x",
            "\\\\evil.com",
            "evil.com%2fx",
            "B.Com./login",
            "B.Com/x?u=1",
            "Co.Ltd:8080/x",
            "T.Co/x",
            "X.com/Evil",
            "Box.com/S/1",
            "Tech.Com/Evil",
            "Co.Net/Evil",
            "=?iso-2022-kr?q?evil=2Ecom=2Fx?=",
            "=?us-ascii?q?=FE=FFevil=2Ecom=2Fx?=",
            "T.CO/X",
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
            "=?utf-8?b?PT91dGYtOD9xP2V2aWw9MkV0ZXN0PTJGeD89?=",
            "=?utf-8*en?b?aHR0cDovL2V2aWwudGVzdC94?=",
            "=?us-ascii*EN?q?evil=2Etest=2Fx?=",
            "=?utf-8?b?ZXZpbC50ZXN0L3g?=",
            "=?utf-8?b?ZXZpbC50ZXN0L3g=!?=",
            "=?utf-8?q?evil=2E?==?utf-8?q?test=2Fx?=",
            "evil=?utf-8?q?=2Etest=2Fx?=",
            "a=?utf-8?q?evil=2Etest=2Fx?=b",
            "=?utf-8?q?evil=2Etest?=/x",
            "=?x-unknown?q?evil=2Etest=2Fx?=",
            "=?cp437?q?Acme?=",
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
            "=?utf-8?q?=E2=80=8B?=",
            "=?utf-8?b?4oCL?=",
            "=?utf-8?q?_?=",
            "=?utf-8?q??=",
            "=?utf-8?q?=C2=AD?=",
            "=?utf-8?q?=E3=85=A4?= =?utf-8?q?=E2=A0=80?=",
        ] {
            assert_eq!(code(blank), Some("name_empty"), "{blank:?}");
        }
        for good in ["\u{200b}A", "👩\u{200d}🚀", "李", "7", "&", "ქართული", "‌می‌خواهم"]
        {
            assert_eq!(code(good), None, "{good:?}");
        }
    }
}
