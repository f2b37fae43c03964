//! The password policy. Every operation that sets a password uses it. Only this module checks passwords.

use std::{num::NonZero, sync::Arc, thread::available_parallelism, time::Duration};

use portico_entity::portal_user;
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
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
/// The same for a password with many different substitutes, for example `$` for `s`: zxcvbn tries their combinations.
const MAX_JUDGED_CHARS_WITH_SUBSTITUTES: usize = 24;
/// How many different substitutes a password may have until fewer of its characters are judged.
const MAX_SUBSTITUTES: usize = 8;
/// The characters that zxcvbn takes for substitutes of letters.
const SUBSTITUTES: &str = "4@8({[<69!|13/70$5+%2";
/// How long a password waits to be judged.
const SLOT_TIMEOUT: Duration = Duration::from_secs(3);
/// The minimum length, in characters, of a known text that a password must not contain. Shorter texts occur in too
/// many words.
const MIN_KNOWN_CHARS: usize = 4;

/// What the policy says about a password.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// How hard the password is to guess: the score of zxcvbn, from 0 (very easy) to 4 (hard). At most 2 if the
    /// password contains a known text.
    pub score: u8,
    /// What is wrong with the password. The first problem is the one that a refused password is answered with.
    pub problems: Vec<PolicyProblem>,
}

/// How a password breaks the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyProblem {
    /// It has fewer characters than `PORTICO_PASSWORD_MIN`.
    TooShort,
    /// It has more characters than `PORTICO_PASSWORD_MAX`.
    TooLong,
    /// It is easy to guess, or contains a known text.
    Weak,
}

impl PolicyProblem {
    fn describe(self, settings: &PasswordSettings) -> FieldProblem {
        match self {
            Self::TooShort => {
                FieldProblem::new("password_too_short", format!("must have at least {} characters", settings.min))
            }
            Self::TooLong => {
                FieldProblem::new("password_too_long", format!("must have at most {} characters", settings.max))
            }
            Self::Weak => FieldProblem::new(
                "password_weak",
                "must be harder to guess: use more words, and no words from your name, address or company",
            ),
        }
    }
}

/// Judges passwords, one at a time on each core, outside of the threads that answer requests. Clones share the slots.
#[derive(Clone)]
pub struct PasswordJudge(Arc<Semaphore>);

impl Default for PasswordJudge {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(available_parallelism().map_or(1, NonZero::get))))
    }
}

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
/// - The errors of [`judge`].
pub(crate) async fn check(
    app: &App,
    pointer: &str,
    password: &Password,
    user: &portal_user::Model,
    known: &[&str],
) -> Result<()> {
    match judge(app, password, user, known).await?.problems.first() {
        None => Ok(()),
        Some(problem) => Err(Error::Invalid(vec![problem.describe(app.section::<PasswordSettings>()).at(pointer)])),
    }
}

/// Judges a password of the portal user `user`, as [`check`] does.
///
/// # Errors
/// - `overloaded` if so many passwords are being judged that this one would wait for more than 3 seconds.
/// - `unavailable` or `internal` when the database fails.
pub(super) async fn judge(
    app: &App,
    password: &Password,
    user: &portal_user::Model,
    known: &[&str],
) -> Result<Judgement> {
    let mut texts = memberships::names_around(app.db(), user.id).await?;
    texts.extend([user.name.as_str()].into_iter().chain(known.iter().copied()).map(str::to_owned));
    let slot = timeout(SLOT_TIMEOUT, app.get::<PasswordJudge>().0.clone().acquire_owned()).await;
    let Ok(Ok(slot)) = slot else { return Err(Error::Overloaded) };
    let (app, password, email) = (app.clone(), password.clone(), user.email.clone());
    let work = move || {
        // The slot is free when the work is done, even if the caller no longer waits for it.
        let _slot = slot;
        judge_with(app.section::<PasswordSettings>(), password.reveal(), &email, &texts)
    };
    spawn_blocking(work).await.map_err(|error| Error::Internal(format!("judging a password: {error}")))
}

/// Returns what the policy says about `password`. `known` are the names and other texts that it must not contain.
fn judge_with(settings: &PasswordSettings, password: &str, email: &str, known: &[String]) -> Judgement {
    let length = password.chars().count();
    let score = score(password, email, known);
    let problems = [
        (length < settings.min, PolicyProblem::TooShort),
        (length > settings.max, PolicyProblem::TooLong),
        (score < Score::Three, PolicyProblem::Weak),
    ];
    let problems = problems.into_iter().filter(|(is_broken, _)| *is_broken).map(|(_, problem)| problem).collect();
    Judgement { score: score.into(), problems }
}

fn score(password: &str, email: &str, known: &[String]) -> Score {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    let words = known.iter().flat_map(|text| text.split(is_separator));
    let mut forbidden: Vec<String> =
        words.chain([local]).map(fold).filter(|text| text.chars().count() >= MIN_KNOWN_CHARS).collect();
    let folded = fold(password);
    let has_known_text = forbidden.iter().any(|text| folded.contains(text.as_str()));
    forbidden.extend([local, "portico"].into_iter().chain(domain.split('.')).map(str::to_owned));
    let inputs: Vec<&str> = forbidden.iter().map(String::as_str).collect();
    let score = zxcvbn(judged_part(password), &inputs).score();
    if has_known_text { score.min(Score::Two) } else { score }
}

/// Returns the beginning of a password whose strength can be estimated in little time.
fn judged_part(password: &str) -> &str {
    let substitutes = SUBSTITUTES.chars().filter(|&substitute| password.contains(substitute)).count();
    let chars = if substitutes > MAX_SUBSTITUTES { MAX_JUDGED_CHARS_WITH_SUBSTITUTES } else { MAX_JUDGED_CHARS };
    password.char_indices().nth(chars).map_or(password, |(end, _)| &password[..end])
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
    use crate::testing;

    /// The code of the field problem for Ann Smithers, ann.smith@acme.test.
    fn code(password: &str) -> Option<&'static str> {
        let settings = PasswordSettings { scrypt: scrypt::Params::RECOMMENDED, min: 8, max: 128 };
        let known = ["Ann Smithers", "Acme Ltd"].map(str::to_owned);
        let judgement = judge_with(&settings, Password::new(password).reveal(), "ann.smith@acme.test", &known);
        judgement.problems.first().map(|problem| problem.describe(&settings).code)
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
            let known: Vec<_> = known.iter().map(|&text| text.to_owned()).collect();
            !judge_with(&settings, Password::new(password).reveal(), email, &known).problems.is_empty()
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

    #[tokio::test]
    async fn a_password_waits_for_a_slot_at_most_three_seconds() {
        let app = testing::app().await;
        let user = app.insert_portal_user().await;
        let slots = app.get::<PasswordJudge>().0.clone();
        let all = slots.clone().acquire_many_owned(slots.available_permits() as u32).await.unwrap();
        let password = Password::new("tqvzkwmrplxjyhgfdsbn");
        let judged = || judge(&app, &password, &user, &[]);
        assert!(matches!(judged().await, Err(Error::Overloaded)));
        drop(all);
        assert_eq!(judged().await.unwrap().score, 4);
    }

    #[test]
    fn longest_password_is_checked_within_two_seconds() {
        for c in ["a", "é", "a1!B", "\u{300}", SUBSTITUTES, "4@({[<69!1/|0$5+7%2", "4@8({[<6", "e4xample$5+7%2!"] {
            let started = std::time::Instant::now();
            let _ = code(&c.repeat(128).chars().take(128).collect::<String>());
            assert!(started.elapsed().as_millis() < 2_000, "{c}");
        }
    }
}
