//! An authenticator app, which makes one-time passwords from a secret (RFC 6238).

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ring::hmac;

/// The length of a time step in seconds.
const STEP_SECONDS: i64 = 30;

/// An app with one secret.
pub(crate) struct AuthenticatorApp {
    key: hmac::Key,
    /// The newest step of which [`code`](Self::code) has returned the code.
    last_step: AtomicI64,
}

impl AuthenticatorApp {
    /// Returns an app with this secret in base32.
    pub(crate) fn new(base32: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &decode_base32(base32));
        Self { key, last_step: AtomicI64::new(0) }
    }

    /// Returns a code that the server accepts and that this method has not returned before. The server accepts three
    /// steps at a time, so this waits for the next step only at the fourth call within half a minute.
    pub(crate) async fn code(&self) -> String {
        // The step before the current one is taken only if the server has ten seconds to accept it.
        let oldest = step_at(seconds() + 10) - 1;
        let step = (self.last_step.load(Ordering::Relaxed) + 1).max(oldest);
        while step > current_step() + 1 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        self.last_step.store(step, Ordering::Relaxed);
        self.code_of(step)
    }

    /// Returns the code of the step that is `steps` after the current one.
    pub(crate) fn code_in(&self, steps: i64) -> String {
        self.code_of(current_step() + steps)
    }

    /// Returns a code that is not that of any step which the server accepts.
    pub(crate) fn wrong_code(&self) -> String {
        let accepted: Vec<_> = (-2..=2).map(|steps| self.code_in(steps)).collect();
        let codes = (0..).map(|number| format!("{number:06}"));
        codes.into_iter().find(|code| !accepted.contains(code)).unwrap()
    }

    fn code_of(&self, step: i64) -> String {
        let mac = hmac::sign(&self.key, &step.to_be_bytes());
        let mac = mac.as_ref();
        let offset = usize::from(mac[19] & 15);
        let number = u32::from_be_bytes(mac[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

fn current_step() -> i64 {
    step_at(seconds())
}

const fn step_at(seconds: i64) -> i64 {
    seconds / STEP_SECONDS
}

#[expect(clippy::disallowed_methods, reason = "the clock of the authenticator app, not of Portico")]
fn seconds() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn decode_base32(text: &str) -> Vec<u8> {
    let digit = |c: char| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).unwrap();
    let bits: Vec<_> = text.chars().flat_map(|c| (0..5).rev().map(move |bit| digit(c) >> bit & 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |value, bit| value << 1 | *bit as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, with six digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let app = AuthenticatorApp::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (20_000_000_000, "353130")]
        {
            assert_eq!(app.code_of(seconds / STEP_SECONDS), code);
        }
    }
}
