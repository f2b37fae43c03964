//! The only place that throws the dice.

use rand::RngExt;

/// Randomness from the operating system, by way of a generator that it seeds.
#[derive(Clone, Copy, Debug)]
pub struct Random;

impl Random {
    /// `N` random bytes, fit for keys and salts.
    #[expect(clippy::disallowed_methods, reason = "this is the owner")]
    pub fn bytes<const N: usize>(self) -> [u8; N] {
        let mut bytes = [0; N];
        rand::rng().fill(&mut bytes);
        bytes
    }

    /// Evenly between 0 and 1.
    pub fn fraction(self) -> f64 {
        f64::from(u32::from_le_bytes(self.bytes())) / f64::from(u32::MAX)
    }
}
