//! The password policy. Every operation that sets a password uses it. Only this module checks passwords.

use portico_entity::portal_user;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use zxcvbn::{Score, zxcvbn};

use super::PasswordSettings;
use crate::{
    platform::{
        app::App,
        error::{Error, FieldProblem, Result},
        secret::Password,
    },
    tenancy::memberships,
};

/// The maximum number of characters whose strength is estimated, because zxcvbn's run time grows faster than the
/// length.
const MAX_JUDGED_CHARS: usize = 64;
/// The minimum length, in characters, of a known text that a password must not contain. Shorter texts occur in too
/// many words.
const MIN_KNOWN_CHARS: usize = 4;

/// Checks a new password of the portal user `user`.
///
/// A password is weak if its zxcvbn score is below 3, or if it contains one of these texts, ignoring letter case:
/// - the local part of the address, if it has 4 or more characters;
/// - a word of 4 or more characters of the names that others may know: of the person, of the clients to which the
///   person belongs or is invited, and of their tenants;
/// - a part of 4 or more characters of the texts in `known`, such as the secret of the link that was used. The link
///   stays in the mailbox forever, so a password that contains its secret is as easy to guess as one with the name.
///
/// # Errors
/// - `validation_failed` at the JSON pointer `pointer`, with one of these field codes: `password_too_short` or
///   `password_too_long` if the length in characters is outside the settings, and `password_weak` if the password is
///   easy to guess.
/// - `unavailable` or `internal` when the database fails.
pub(crate) async fn check(
    app: &App,
    pointer: &str,
    password: &Password,
    user: &portal_user::Model,
    known: &[&str],
) -> Result<()> {
    let names = memberships::names_around(app.db(), user.id).await?;
    let known: Vec<&str> = names.iter().map(String::as_str).chain([user.name.as_str()]).chain(known.to_vec()).collect();
    match problem(app.section::<PasswordSettings>(), password.reveal(), &user.email, &known) {
        None => Ok(()),
        Some(problem) => Err(Error::Invalid(vec![problem.at(pointer)])),
    }
}

/// Returns what is wrong with `password`, or `None` if it satisfies the policy.
fn problem(settings: &PasswordSettings, password: &str, email: &str, known: &[&str]) -> Option<FieldProblem> {
    let length = password.chars().count();
    if length < settings.min {
        let detail = format!("must have at least {} characters", settings.min);
        return Some(FieldProblem::new("password_too_short", detail));
    }
    if length > settings.max {
        let detail = format!("must have at most {} characters", settings.max);
        return Some(FieldProblem::new("password_too_long", detail));
    }
    if is_weak(password, email, known) {
        let detail = "must be harder to guess: use more words, and no words from your name, address or company";
        return Some(FieldProblem::new("password_weak", detail));
    }
    None
}

fn is_weak(password: &str, email: &str, known: &[&str]) -> bool {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    let words = known.iter().flat_map(|text| text.split(is_separator));
    let mut forbidden: Vec<String> =
        words.chain([local]).map(fold).filter(|text| text.chars().count() >= MIN_KNOWN_CHARS).collect();
    let folded = fold(password);
    if forbidden.iter().any(|text| folded.contains(text.as_str())) {
        return true;
    }
    forbidden.extend([local, "portico"].into_iter().chain(domain.split('.')).map(str::to_owned));
    let inputs: Vec<&str> = forbidden.iter().map(String::as_str).collect();
    let judged: String = password.chars().take(MAX_JUDGED_CHARS).collect();
    zxcvbn(&judged, &inputs).score() < Score::Three
}

/// Returns whether `c` separates the words of a name. A combining mark does not: many scripts write it inside of words.
fn is_separator(c: char) -> bool {
    !c.is_alphanumeric() && !is_combining_mark(c)
}

/// Returns `text` without differences of letter case. Through upper case, "ß" equals "SS" and "ς" equals "Σ", which
/// lower case alone keeps apart.
fn fold(text: &str) -> String {
    text.nfc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code of the field problem for Ann Smithers, ann.smith@acme.test.
    fn code(password: &str) -> Option<&'static str> {
        let settings = PasswordSettings { scrypt: scrypt::Params::RECOMMENDED, min: 8, max: 128 };
        problem(&settings, Password::new(password).reveal(), "ann.smith@acme.test", &["Ann Smithers", "Acme Ltd"])
            .map(|problem| problem.code)
    }

    #[test]
    fn length_is_counted_in_characters_after_normalisation() {
        assert_eq!(code("tK4!wz%"), Some("password_too_short"));
        // zxcvbn estimates at most 10^8 guesses for 8 characters, even if they are random. That is still weak.
        assert_eq!(code("tK4!wz%Q"), Some("password_weak"));
        assert_eq!(code("tK4!wz%Qb"), None);
        assert_eq!(code(&"e\u{301}".repeat(7)), Some("password_too_short"));
        assert_eq!(code(&"🜂🝰🜛".repeat(43)), Some("password_too_long"));
        let words = "correct horse battery staple purple monkey dishwasher nimbus ";
        assert_eq!(code(&words.repeat(2)), None);
        assert_eq!(code(&words.repeat(3)), Some("password_too_long"));
    }

    #[test]
    fn common_and_personal_passwords_are_weak() {
        for weak in [
            "passwordpassword",
            "123456789012345",
            "qwertyuiopasdfgh",
            "Smithers!2026xkq",
            "x-ann.smith-9Qz",
            "ACMEacmeACMEacme",
            "porticoportico",
            "aaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(code(weak), Some("password_weak"), "{weak}");
        }
        for good in
            ["correct horse battery staple", "  spaces around it  ", "пароль-не-простой-42", "tqvzkwmrplxjyhgfdsbn"]
        {
            assert_eq!(code(good), None, "{good}");
        }
    }

    #[test]
    fn known_texts_of_four_or_more_characters_are_weak_in_any_letter_case() {
        let settings = PasswordSettings { scrypt: scrypt::Params::RECOMMENDED, min: 8, max: 128 };
        let weak = |password: &str, email: &str, known: &[&str]| {
            problem(&settings, Password::new(password).reveal(), email, known).is_some()
        };
        for (password, email, names, is_weak) in [
            ("tqvzkwmrplxjyhgfdsbn", "z@y.test", ["", ""], false),
            ("tqvzkwmrplxjyhgfdsbn", "qvz@y.test", ["", ""], false),
            ("tqvzkwmrplxjyhgfdsbn", "qvzk@y.test", ["", ""], true),
            ("tqvzkwmrplxjyhgfdsbn", "a@y.test", ["Jo Qvz", "The Mrp"], false),
            ("tqvzkwmrplxjyhgfdsbn", "a@y.test", ["Jo Qvz", "The-Mrpl"], true),
            ("9x-STRASSER-Kq7-vune", "a@y.test", ["Straßer", ""], true),
            ("9x-straßer-Kq7-vune", "a@y.test", ["STRASSER", ""], true),
            ("9x-οδοσ-Kq7-vune-lamp", "a@y.test", ["ΟΔΟΣ", ""], true),
            ("9x-jose\u{301}-Kq7-vune", "a@y.test", ["Jos\u{e9}", ""], true),
            ("9x-नमस्ते-Kq7-vune", "a@y.test", ["नमस्ते", ""], true),
        ] {
            assert_eq!(weak(password, email, &names), is_weak, "{password} {email} {names:?}");
        }
    }

    #[test]
    fn longest_password_is_checked_within_two_seconds() {
        for c in ["a", "é", "a1!B", "\u{300}"] {
            let started = std::time::Instant::now();
            let _ = code(&c.repeat(128));
            assert!(started.elapsed().as_millis() < 2_000, "{c}");
        }
    }
}
