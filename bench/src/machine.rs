//! Describes the machine, the commit and the time of a run.

use std::{fmt, fs, process::Command, thread::available_parallelism};

/// The machine, the commit and the time of a run. Values that cannot be read are `unknown`.
pub(crate) struct Machine {
    cores: usize,
    /// In GiB, with the unit.
    memory: String,
    /// The processor's model name.
    model: String,
    commit: String,
    /// In UTC.
    date: String,
}

/// Returns the number of cores that this process may use.
pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Reads the description of this machine from `/proc`, `git` and `date`.
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
        commit: output_of("git", &["describe", "--always", "--dirty"]),
        date: output_of("date", &["--utc", "+%Y-%m-%d %H:%M UTC"]),
    }
}

/// Returns what a program prints, or `unknown` if it cannot be started.
fn output_of(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    output.map_or("unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, memory, model, commit, date } = self;
        write!(f, "{cores} cores ({model}), {memory}; commit {commit}; {date}")
    }
}
