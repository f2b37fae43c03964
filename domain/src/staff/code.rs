//! The six digits of a code flow: derived, never stored.

use portico_entity::{CodeFlowId, EmailId, code_flow};
use subtle::ConstantTimeEq;

use crate::{
    app::App,
    keys::{Key, KeyUse},
    secret::{PlainToken, hex},
};

/// How many wrong codes kill a code.
pub(super) const MAX_MISSES: i32 = 5;

/// The code that the mail `email` carries for `flow`: six uniform digits. One code a mail, so a resend makes another.
pub(super) fn code(key: &Key, flow: CodeFlowId, email: EmailId) -> PlainToken {
    // The largest multiple of a million below 2³²; numbers beyond it would make small codes likelier.
    const FAIR: u32 = u32::MAX - u32::MAX % 1_000_000;
    let mut round = 0u8;
    loop {
        let mac = key.mac(KeyUse::Code, &[flow.0.as_bytes(), email.0.as_bytes(), &[round]]);
        let (words, _) = mac.as_chunks::<4>();
        if let Some(number) = words.iter().map(|word| u32::from_be_bytes(*word)).find(|number| *number < FAIR) {
            return PlainToken::new(format!("{:06}", number % 1_000_000));
        }
        round = round.wrapping_add(1);
    }
}

/// What the database holds of a code.
pub(super) fn hash(key: &Key, flow: CodeFlowId, code: &PlainToken) -> String {
    hex(&key.mac(KeyUse::CodeHash, &[flow.0.as_bytes(), code.reveal().as_bytes()]))
}

/// Whether `code` is the flow's, in constant time; the same work when the flow has none.
pub(super) fn is_right(app: &App, flow: &code_flow::Model, code: &PlainToken) -> bool {
    let key = flow.key_fingerprint.as_deref().and_then(|fingerprint| app.keys().by_fingerprint(fingerprint));
    let given = hash(key.unwrap_or(app.keys().newest()), flow.id, code);
    let stored = flow.code_hash.clone().unwrap_or_else(|| "-".repeat(given.len()));
    given.as_bytes().ct_eq(stored.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn otp_05_codes_are_six_digits_and_every_first_digit_is_as_likely() {
        let app = testing::app().await;
        let flow = CodeFlowId(app.new_id());
        let mut counts = [0u32; 10];
        for _ in 0..5_000 {
            let code = code(app.keys().newest(), flow, EmailId(app.new_id()));
            let digits = code.reveal().as_bytes();
            assert!(digits.len() == 6 && digits.iter().all(u8::is_ascii_digit));
            counts[usize::from(digits[0] - b'0')] += 1;
        }
        // χ² with 9 degrees of freedom stays below 27.9 in 999 of 1,000 fair draws.
        let chi2: f64 = counts.iter().map(|count| (f64::from(*count) - 500.0).powi(2) / 500.0).sum();
        assert!(chi2 < 35.0, "{chi2} {counts:?}");
    }
}
