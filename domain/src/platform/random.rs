//! Random numbers. Only this module calls the random number generator.

use rand::RngExt;

/// Random numbers from a cryptographically secure generator that the operating system seeds.
#[derive(Clone, Copy, Debug)]
pub struct Random;

impl Random {
    /// Returns `N` random bytes, which are suitable for keys and salts.
    #[expect(clippy::disallowed_methods, reason = "only this module calls the random number generator")]
    pub fn bytes<const N: usize>(self) -> [u8; N] {
        let mut bytes = [0; N];
        rand::rng().fill(&mut bytes);
        bytes
    }

    /// Returns a uniformly distributed random number from 0 to 1, both included, with a resolution of 32 bits.
    pub fn fraction(self) -> f64 {
        f64::from(u32::from_le_bytes(self.bytes())) / f64::from(u32::MAX)
    }
}
