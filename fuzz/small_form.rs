//! The short form of the fuzz tests: runs a target on its committed seeds and on mutations of them, as a unit test.
//!
//! The crates that have fuzz targets include this file in their unit tests. It needs only stable Rust.

use std::{fs, io::Write, panic::catch_unwind, path::Path};

/// How many mutated inputs one test runs. They are the same in each run.
const MUTATIONS: usize = 10_000;

/// Texts that often reveal bugs in parsers.
const DIFFICULT_TEXTS: [&str; 48] = [
    "\0",
    "\r\n",
    "\n",
    "\t",
    " ",
    "%",
    "%00",
    "%2f",
    "%ff",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "'",
    "=",
    ";",
    ",",
    ":",
    "::",
    "/",
    "//",
    "?",
    "#",
    "@",
    ".",
    "..",
    "-",
    "+",
    "~",
    "[",
    "]",
    "{",
    "}",
    "xn--",
    "__Host-",
    "0",
    "-1",
    "1e999",
    "18446744073709551616",
    "9223372036854775807",
    "\u{131}",
    "\u{212a}",
    "\u{ad}",
    "\u{301}",
    "\u{202e}",
    "\u{feff}",
    "\u{3002}",
    "ﬁ",
];

/// Runs `target` on the files of `fuzz/corpus/<name>` and on 10,000 mutations of them.
///
/// # Panics
/// Panics with the input if the target panics.
pub(crate) fn run(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    for seed in &seeds {
        run_one(name, target, seed);
    }
    let mut random = SplitMix64(0x5eed);
    for _ in 0..MUTATIONS {
        let mut input = random.choose(&seeds).clone();
        for _ in 0..=random.below(4) {
            mutate(&mut input, &seeds, &mut random);
        }
        run_one(name, target, &input);
    }
    // Written to stderr directly, because the test harness captures the output of eprintln. bin/test counts these
    // lines.
    let line = format!("fuzz target {name}: {} inputs\n", seeds.len() + MUTATIONS);
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Runs `target` on one input.
fn run_one(name: &str, target: fn(&[u8]), input: &[u8]) {
    if catch_unwind(|| target(input)).is_err() {
        panic!("to repeat this failure, write the input to a file in fuzz/corpus/{name}: {}", input.escape_ascii());
    }
}

/// Makes one random change at a random place of `input`: flips a bit, sets a byte, deletes or repeats a piece,
/// replaces a piece by the end of a seed, cuts off the rest, or replaces a piece by a difficult text.
fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut SplitMix64) {
    let at = random.below(input.len() + 1);
    let end = (at + random.below(16)).min(input.len());
    match random.below(8) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = random.below(256) as u8,
        2 => drop(input.drain(at..end)),
        3 => {
            let piece = input[at..end].to_vec();
            input.splice(at..at, piece);
        }
        4 => {
            let other = random.choose(seeds);
            input.splice(at..end, other[random.below(other.len() + 1)..].iter().copied());
        }
        5 => input.truncate(at),
        _ => drop(input.splice(at..end, random.choose(&DIFFICULT_TEXTS).bytes())),
    }
}

/// The random number generator SplitMix64. Its numbers are good enough for tests, and the same in each run.
struct SplitMix64(u64);

impl SplitMix64 {
    /// Returns a random number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    /// Returns a random element of `choices`.
    fn choose<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}
