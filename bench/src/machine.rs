//! Where and when it was measured.

use std::{fmt, fs, process::Command, thread::available_parallelism};

/// The machine, the commit and the day.
pub(crate) struct Machine {
    cores: usize,
    memory: String,
    model: String,
    commit: String,
    date: String,
}

/// How many cores there are.
pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Reads it.
pub(crate) fn read() -> Machine {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).and_then(|line| line.split_once(':'));
        line.map_or("unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let kibibytes: f64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0.0);
    Machine {
        cores: cores(),
        memory: format!("{:.0} GiB", kibibytes / 1_048_576.0),
        model: field("/proc/cpuinfo", "model name"),
        commit: said("git", &["describe", "--always", "--dirty"]),
        date: said("date", &["--utc", "+%Y-%m-%d %H:%M UTC"]),
    }
}

fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    output.map_or("unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, memory, model, commit, date } = self;
        write!(f, "{cores} cores ({model}), {memory}; commit {commit}; {date}")
    }
}
