//! The six-digit code of a code flow. The code is derived from the server key and is not stored.

use portico_entity::{
    CodeFlowId, EmailId,
    code_flow::{self, Purpose},
};
use subtle::ConstantTimeEq;

use super::MailedCodeSettings;
use crate::platform::{
    app::App,
    keys::{Key, KeyUse},
    secret::PlainToken,
};

/// The number of wrong attempts after which a code is no longer accepted.
pub(super) const MAX_MISSES: i32 = 5;

/// Returns the code that the mail `email` carries for `flow`: six digits, uniformly distributed.
///
/// The code depends on the mail, so a resend carries another code, and a retry of the same mail carries the same code.
pub(super) fn code(key: &Key, flow: CodeFlowId, email: EmailId) -> PlainToken {
    // The largest multiple of 1,000,000 below 2³². Numbers from here on are rejected, because they would make small
    // codes more likely.
    const UNIFORM_RANGE: u32 = u32::MAX - u32::MAX % 1_000_000;
    let mut round = 0u8;
    loop {
        let mac = key.mac(KeyUse::Code, &[flow.0.as_bytes(), email.0.as_bytes(), &[round]]);
        let (words, _) = mac.as_chunks::<4>();
        if let Some(number) = words.iter().map(|word| u32::from_be_bytes(*word)).find(|number| *number < UNIFORM_RANGE)
        {
            return PlainToken::new(format!("{:06}", number % 1_000_000));
        }
        round = round.wrapping_add(1);
    }
}

/// Returns the keyed hash of a code, in hexadecimal, as the database stores it in `code_hash`.
pub(super) fn hash(key: &Key, flow: CodeFlowId, code: &PlainToken) -> String {
    hex::encode(key.mac(KeyUse::CodeHash, &[flow.0.as_bytes(), code.reveal().as_bytes()]))
}

/// Returns whether `code` is the master code of development, and `flow` one with a sign-in code of a user. Compares in
/// constant time.
pub(super) fn is_master_code(app: &App, flow: &code_flow::Model, code: &PlainToken) -> bool {
    let Some(master_code) = &app.section::<MailedCodeSettings>().master_code else { return false };
    let is_live = flow.code_hash.is_some() && flow.purpose == Purpose::SignIn;
    is_live && bool::from(master_code.reveal().as_bytes().ct_eq(code.reveal().as_bytes()))
}

/// Returns whether `code` is the code of `flow`. Compares in constant time, and does the same work when the flow has
/// no code.
pub(super) fn is_right(app: &App, flow: &code_flow::Model, code: &PlainToken) -> bool {
    let key = flow.key_fingerprint.as_deref().and_then(|fingerprint| app.keys().by_fingerprint(fingerprint));
    let presented = hash(key.unwrap_or(app.keys().newest()), flow.id, code);
    let stored = flow.code_hash.clone().unwrap_or_else(|| "-".repeat(presented.len()));
    presented.as_bytes().ct_eq(stored.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn otp_05_codes_are_six_digits_with_a_uniform_first_digit() {
        let app = testing::app().await;
        let flow = CodeFlowId(app.new_id());
        let mut counts = [0u32; 10];
        for _ in 0..5_000 {
            let code = code(app.keys().newest(), flow, EmailId(app.new_id()));
            let digits = code.reveal().as_bytes();
            assert!(digits.len() == 6 && digits.iter().all(u8::is_ascii_digit));
            counts[usize::from(digits[0] - b'0')] += 1;
        }
        // For uniform digits, χ² with 9 degrees of freedom is below 27.9 with a probability of 99.9 %.
        let chi2: f64 = counts.iter().map(|count| (f64::from(*count) - 500.0).powi(2) / 500.0).sum();
        assert!(chi2 < 35.0, "{chi2} {counts:?}");
    }
}
