//! Settings: the password policy and the cost of hashing.

use scrypt::Params;

use super::Cost;
use crate::platform::{
    env_reader::{EnvReader, number},
    settings::Section,
};

/// The password policy and the cost of hashing.
#[derive(Clone, Debug)]
pub struct PasswordSettings {
    /// `PORTICO_SCRYPT`: the scrypt cost of new hashes. The default is `ln=17,r=8,p=1`.
    pub scrypt: Params,
    /// `PORTICO_PASSWORD_MIN`: the minimum length in characters. The default is 8.
    pub min: usize,
    /// `PORTICO_PASSWORD_MAX`: the maximum length in characters. The default is 128.
    pub max: usize,
}

impl PasswordSettings {
    /// Returns the cost of new hashes, written as in `PORTICO_SCRYPT`.
    pub fn cost(&self) -> String {
        Cost(self.scrypt).to_string()
    }
}

impl Section for PasswordSettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "The cost of new password hashes: scrypt's log2 N, r and p (RFC 7914). A hash takes 128·N·r \
            bytes of memory while it is computed. A hash with another cost is replaced at the next sign-in. \
            Until then, each sign-in computes a hash of each cost in use, so that its time does not show the age of an \
            account.";
        let scrypt = env.read("PORTICO_SCRYPT", "ln=17,r=8,p=1", description, parse_cost);
        let min = env.read(
            "PORTICO_PASSWORD_MIN",
            "8",
            "The minimum length of a password, 8 to 64 characters.",
            number(8..=64),
        );
        let max = env.read(
            "PORTICO_PASSWORD_MAX",
            "128",
            "The maximum length of a password, 64 to 1024 characters.",
            number(64..=1024),
        );
        Some(Self { scrypt: scrypt?, min: min? as usize, max: max? as usize })
    }
}

/// Parses `ln=…,r=…,p=…`. Each of the three costs must occur once, in any order.
pub(super) fn parse_cost(value: &str) -> Result<Params, String> {
    let wrong = || "must be three costs with ln 10 to 20, r 1 to 32 and p 1 to 16, e.g. ln=17,r=8,p=1".to_owned();
    let (mut ln, mut r, mut p) = (None, None, None);
    for part in value.split(',') {
        let (name, number) = part.trim().split_once('=').ok_or_else(wrong)?;
        let slot = match name {
            "ln" => &mut ln,
            "r" => &mut r,
            "p" => &mut p,
            _ => return Err(wrong()),
        };
        if slot.replace(number.parse::<u32>().map_err(|_| wrong())?).is_some() {
            return Err(wrong());
        }
    }
    match (ln, r, p) {
        (Some(ln @ 10..=20), Some(r @ 1..=32), Some(p @ 1..=16)) => Params::new(ln as u8, r, p).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}
