//! What a program and the approval page pass to each other: the proof key (RFC 7636, `S256`) and the state.

use std::str::FromStr;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::platform::{error::FieldProblem, random::Random, secret::PlainToken};

/// The hash of a [`CodeVerifier`]: SHA-256 in base64url without padding, 43 characters.
///
/// Parsing fails with the code `code_challenge_invalid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChallenge(String);

/// The secret of a program: 43 to 128 characters of `A-Z`, `a-z`, `0-9`, `-`, `.`, `_` and `~` (RFC 7636 §4.1).
///
/// Parsing fails with the code `code_verifier_invalid`.
#[derive(Clone, Debug)]
pub struct CodeVerifier(PlainToken);

/// A random text of a program, by which it recognises the answer to its own request: 16 to 128 characters of base64url.
///
/// Parsing fails with the code `state_invalid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginState(String);

impl CodeChallenge {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LoginState {
    /// Returns a random state, for a program.
    pub fn generate(random: Random) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<32>()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether `text` is this state. The time does not show how much of it is right.
    pub fn matches(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl CodeVerifier {
    /// Returns a random secret, for a program.
    pub fn generate(random: Random) -> Self {
        Self(PlainToken::from_bytes(&random.bytes()))
    }

    /// Returns the secret itself, for the request that carries it.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// Returns the hash of this secret.
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.reveal().as_bytes())))
    }

    /// Returns whether `challenge` is the hash of this secret.
    pub(super) fn matches(&self, challenge: &str) -> bool {
        self.challenge().0.as_bytes().ct_eq(challenge.as_bytes()).into()
    }
}

impl FromStr for CodeChallenge {
    type Err = FieldProblem;

    fn from_str(text: &str) -> Result<Self, FieldProblem> {
        let is_hash = BASE64_URL_SAFE_NO_PAD.decode(text).is_ok_and(|hash| hash.len() == 32);
        let problem = || {
            let detail = "must be a SHA-256 hash in base64url without padding, which has 43 characters";
            FieldProblem::new("code_challenge_invalid", detail)
        };
        if is_hash { Ok(Self(text.into())) } else { Err(problem()) }
    }
}

impl FromStr for CodeVerifier {
    type Err = FieldProblem;

    fn from_str(text: &str) -> Result<Self, FieldProblem> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let problem = || {
            let detail = "must have 43 to 128 letters, digits, '-', '.', '_' or '~'";
            FieldProblem::new("code_verifier_invalid", detail)
        };
        if (43..=128).contains(&text.len()) && text.bytes().all(is_allowed) {
            Ok(Self(PlainToken::new(text)))
        } else {
            Err(problem())
        }
    }
}

impl FromStr for LoginState {
    type Err = FieldProblem;

    fn from_str(text: &str) -> Result<Self, FieldProblem> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if (16..=128).contains(&text.len()) && text.bytes().all(is_allowed) {
            Ok(Self(text.into()))
        } else {
            Err(FieldProblem::new("state_invalid", "must have 16 to 128 letters, digits, '-' or '_'"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_matches_and_another_verifier_does_not() {
        let challenge: CodeChallenge = CHALLENGE.parse().unwrap();
        let verifier = |text: &str| text.parse::<CodeVerifier>().unwrap();
        assert!(verifier(VERIFIER).matches(challenge.as_str()));
        assert!(!verifier(&VERIFIER.replace('d', "e")).matches(challenge.as_str()));
        assert_eq!(verifier(VERIFIER).challenge(), challenge);
        assert!(!verifier(CHALLENGE).matches(challenge.as_str()), "the challenge itself is no proof");
    }

    #[test]
    fn what_a_program_generates_has_the_formats() {
        let (verifier, state) = (CodeVerifier::generate(Random), LoginState::generate(Random));
        assert!(
            verifier.reveal().parse::<CodeVerifier>().is_ok_and(|same| same.matches(verifier.challenge().as_str()))
        );
        assert_eq!(verifier.challenge().as_str().parse::<CodeChallenge>().unwrap(), verifier.challenge());
        assert_eq!(state.as_str().parse::<LoginState>().unwrap(), state);
        assert!(state.matches(state.as_str()) && !state.matches(LoginState::generate(Random).as_str()));
    }

    #[test]
    fn formats_are_checked() {
        for wrong in ["", VERIFIER.get(1..).unwrap(), &format!("{CHALLENGE}="), &CHALLENGE.replace('-', "+"), "é"] {
            assert_eq!(wrong.parse::<CodeChallenge>().unwrap_err().code, "code_challenge_invalid", "{wrong}");
        }
        for (length, is_good) in [(42, false), (43, true), (128, true), (129, false)] {
            assert_eq!("~".repeat(length).parse::<CodeVerifier>().is_ok(), is_good, "{length}");
        }
        assert_eq!("/".repeat(43).parse::<CodeVerifier>().unwrap_err().code, "code_verifier_invalid");
        for (state, is_good) in [("a-_Z".repeat(4), true), ("a".repeat(15), false), ("a".repeat(129), false)] {
            assert_eq!(state.parse::<LoginState>().is_ok(), is_good, "{state}");
        }
        for wrong in ["a b-a b-a b-a b-a b-", "aaaaaaaaaaaaaaaa&b=c", "aaaaaaaaaaaaaaaa\r\n", "ääääääääääääääää"]
        {
            assert_eq!(wrong.parse::<LoginState>().unwrap_err().code, "state_invalid", "{wrong}");
        }
    }
}
