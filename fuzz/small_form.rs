//! The small form of the fuzzing: a target over its committed seeds and mutations of them, in an ordinary test.
//!
//! The crates with targets include this file in their tests; nothing here needs more than stable Rust.

use std::{fs, io::Write, panic::catch_unwind, path::Path};

/// How many mutations of the seeds one test tries; the same ones each time.
const MUTATIONS: usize = 10_000;

/// Texts that parsers have stumbled over.
const NASTY: [&str; 48] = [
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

/// Runs `target` over the files of `fuzz/corpus/<name>` and 10,000 mutations of them.
///
/// # Panics
/// When the target does, with the input.
pub(crate) fn run(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    for seed in &seeds {
        run_one(name, target, seed);
    }
    let mut dice = Dice(0x5eed);
    for _ in 0..MUTATIONS {
        let mut input = dice.one_of(&seeds).clone();
        for _ in 0..=dice.below(4) {
            mutate(&mut input, &seeds, &mut dice);
        }
        run_one(name, target, &input);
    }
    // Past the capture of the test harness: bin/test adds these lines up.
    let line = format!("fuzz target {name}: {} inputs\n", seeds.len() + MUTATIONS);
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

fn run_one(name: &str, target: fn(&[u8]), input: &[u8]) {
    if catch_unwind(|| target(input)).is_err() {
        panic!("put this into a file of fuzz/corpus/{name} to repeat it: {}", input.escape_ascii());
    }
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    let end = (at + dice.below(16)).min(input.len());
    match dice.below(8) {
        0 if at < input.len() => input[at] ^= 1 << dice.below(8),
        1 if at < input.len() => input[at] = dice.below(256) as u8,
        2 => drop(input.drain(at..end)),
        3 => {
            let piece = input[at..end].to_vec();
            input.splice(at..at, piece);
        }
        4 => {
            let other = dice.one_of(seeds);
            input.splice(at..end, other[dice.below(other.len() + 1)..].iter().copied());
        }
        5 => input.truncate(at),
        _ => drop(input.splice(at..end, dice.one_of(&NASTY).bytes())),
    }
}

/// SplitMix64: enough chance for this, and the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}
