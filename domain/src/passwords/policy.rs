//! What a password must be: the same on every path, decided here alone.

use zxcvbn::{Score, zxcvbn};

use super::PasswordSettings;
use crate::{
    error::{Error, FieldProblem, Result},
    secret::Password,
};

/// Only this many characters are judged for strength: the judge's work grows faster than the password.
const MAX_JUDGED_CHARS: usize = 64;
/// Shorter parts of what is known stand in too many words to count.
const MIN_KNOWN_PART_CHARS: usize = 4;

/// Checks a new password of the person with this address. `known` is what else others know: their names, the secret of the
/// link that they came by.
///
/// # Errors
/// `validation_failed` at `pointer` with `password_too_short`, `password_too_long` or `password_weak`.
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
        let detail = "must be harder to guess: take more words, and none from your name, address or company";
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

    fn code(password: &str) -> Option<&'static str> {
        let settings = PasswordSettings { scrypt: scrypt::Params::RECOMMENDED, min: 8, max: 128 };
        problem(&settings, Password::new(password).reveal(), "ann.smith@acme.test", &["Ann Smithers", "Acme Ltd"])
            .map(|problem| problem.code)
    }

    #[test]
    fn length_is_counted_in_characters_after_normalisation() {
        assert_eq!(code("tK4!wz%"), Some("password_too_short"));
        // zxcvbn gives no 8 characters, however random, more than 10^8 guesses, which is still weak.
        assert_eq!(code("tK4!wz%Q"), Some("password_weak"));
        assert_eq!(code("tK4!wz%Qb"), None);
        assert_eq!(code(&"e\u{301}".repeat(7)), Some("password_too_short"));
        assert_eq!(code(&"🜂🝰🜛".repeat(43)), Some("password_too_long"));
        let words = "correct horse battery staple purple monkey dishwasher nimbus ";
        assert_eq!(code(&words.repeat(2)), None);
        assert_eq!(code(&words.repeat(3)), Some("password_too_long"));
    }

    #[test]
    fn what_is_guessed_first_is_weak() {
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
    fn the_longest_password_is_judged_in_no_time() {
        for c in ["a", "é", "a1!B", "\u{300}"] {
            let started = std::time::Instant::now();
            let _ = code(&c.repeat(128));
            assert!(started.elapsed().as_millis() < 2_000, "{c}");
        }
    }
}
