//! The password policy. Every operation that sets a password uses it. Only this module checks passwords.

use zxcvbn::{Score, zxcvbn};

use super::PasswordSettings;
use crate::platform::{
    error::{Error, FieldProblem, Result},
    secret::Password,
};

/// The maximum number of characters whose strength is estimated, because zxcvbn's run time grows faster than the
/// length.
const MAX_JUDGED_CHARS: usize = 64;
/// The minimum length, in characters, of a part of a known text that a password must not contain. Shorter parts occur
/// in too many words.
const MIN_KNOWN_PART_CHARS: usize = 4;

/// Checks a new password for the portal user with the address `email`.
///
/// `known` lists further texts that others may know, such as the portal user's names and the secret of the link that
/// was used: the link stays in the mailbox forever, so a password that contains its secret is as easy to guess as one
/// with the name. A password is weak if it contains a part of 4 or more characters of these texts or the local part of
/// the address, ignoring letter case, or if its zxcvbn score is below 3.
///
/// # Errors
/// `validation_failed` at the JSON pointer `pointer`, with one of these field codes:
/// - `password_too_short` or `password_too_long`: the length in characters is outside the settings.
/// - `password_weak`: the password is easy to guess.
pub(crate) fn check(
    settings: &PasswordSettings,
    pointer: &str,
    password: &Password,
    email: &str,
    known: &[&str],
) -> Result<()> {
    match problem(settings, password.reveal(), email, known) {
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
    let folded = password.to_lowercase();
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    let is_separator = |c: char| !c.is_alphanumeric();
    let mut personal: Vec<String> = known
        .iter()
        .flat_map(|text| text.split(is_separator))
        .filter(|part| part.chars().count() >= MIN_KNOWN_PART_CHARS)
        .map(str::to_lowercase)
        .collect();
    personal.push(local.to_lowercase());
    if personal.iter().any(|part| folded.contains(part.as_str())) {
        return true;
    }
    personal.extend(domain.split('.').map(str::to_owned));
    personal.push("portico".into());
    let inputs: Vec<&str> = personal.iter().map(String::as_str).collect();
    let judged: String = password.chars().take(MAX_JUDGED_CHARS).collect();
    zxcvbn(&judged, &inputs).score() < Score::Three
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
    fn longest_password_is_checked_within_two_seconds() {
        for c in ["a", "é", "a1!B", "\u{300}"] {
            let started = std::time::Instant::now();
            let _ = code(&c.repeat(128));
            assert!(started.elapsed().as_millis() < 2_000, "{c}");
        }
    }
}
