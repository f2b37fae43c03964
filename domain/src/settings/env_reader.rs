//! Reading variables: what is set, what is wrong with it, and what there is to set.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::Environment;

/// A variable that Portico reads.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its value when it is not set; empty when there is none.
    pub default: &'static str,
    /// What it means, its unit and its rule.
    pub description: &'static str,
}

/// The variables of the environment, and what was found wrong with them.
pub struct EnvReader {
    values: BTreeMap<String, String>,
    known: Vec<Variable>,
    problems: Vec<String>,
    environment: Environment,
}

impl EnvReader {
    /// Reads from `values`; of these, only Portico's own names matter.
    pub fn new(values: impl IntoIterator<Item = (String, String)>, fallback: Option<Environment>) -> Self {
        let mut env = Self {
            values: values.into_iter().collect(),
            known: Vec::new(),
            problems: Vec::new(),
            environment: Environment::Production,
        };
        let description = "`development` or `production`. `portico` and `portico dev` are development unless told \
                       otherwise; the other commands must be told. Production refuses what is unsafe on a network.";
        let environment = env.optional("PORTICO_ENV", description, |value| match value {
            "development" => Ok(Environment::Development),
            "production" => Ok(Environment::Production),
            _ => Err("must be development or production".into()),
        });
        match environment.or(fallback) {
            Some(environment) => env.environment = environment,
            None if env.problems.is_empty() => env.add_error("PORTICO_ENV", "must be set, e.g. PORTICO_ENV=production"),
            None => {}
        }
        env
    }

    /// Strict or convenient.
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// Whether the strict rules hold.
    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// The value of `name`, else its default; `None` after a config_warning.
    pub fn read<T>(
        &mut self,
        name: &'static str,
        default: &'static str,
        description: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.known.push(Variable { name, default, description });
        let value = self.values.get(name).map_or(default, |value| value.trim());
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(problem) => {
                self.add_error(name, &problem);
                None
            }
        }
    }

    /// The value of `name`, if it is set and good.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        description: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.read(name, "", description, |value| if value.is_empty() { Ok(None) } else { parse(value).map(Some) })?
    }

    /// Whether `name` is set to anything.
    pub fn is_set(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.trim().is_empty())
    }

    /// Remembers that `name` is wrong. `problem` must not quote a value that may be secret.
    pub fn add_error(&mut self, name: &str, problem: &str) {
        self.problems.push(format!("{name} {problem}"));
    }

    /// Every variable read so far.
    pub fn known(&self) -> &[Variable] {
        &self.known
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// All complaints, a line each, and one for every `PORTICO_*` variable that nobody read.
    pub fn finish<T>(mut self, settings: Option<T>) -> Result<T, SettingsError> {
        let unknown: Vec<String> = self.values.keys().filter(|name| self.is_unknown(name)).cloned().collect();
        for name in unknown {
            let hint = nearest(&name, &self.known).map_or(String::new(), |near| format!("; did you mean {near}?"));
            self.add_error(&name, &format!("is not a variable of Portico{hint}"));
        }
        match settings {
            Some(settings) if self.problems.is_empty() => Ok(settings),
            _ => Err(SettingsError(self.problems)),
        }
    }

    fn is_unknown(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix("PORTICO_") else { return false };
        // Kubernetes sets these for a Service called "portico"; the tests' own settings are not the program's.
        let injected = rest.starts_with("PORT")
            || rest.starts_with("SERVICE_")
            || rest.starts_with("TEST_")
            || rest.split_once("_TCP").is_some_and(|(port, _)| port.bytes().all(|byte| byte.is_ascii_digit()));
        !injected && !self.known.iter().any(|variable| variable.name == name)
    }
}

/// The known name that is at most a few letters away.
fn nearest(name: &str, known: &[Variable]) -> Option<&'static str> {
    let near = known.iter().map(|variable| (edits(name, variable.name), variable.name)).min()?;
    (near.0 <= 4).then_some(near.1)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Why Portico does not start: the variables, what is wrong with each, and an example.
#[derive(Debug)]
pub struct SettingsError(pub Vec<String>);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.join("\n"))
    }
}

impl std::error::Error for SettingsError {}

/// Parses a whole number within `range`.
pub fn number(range: std::ops::RangeInclusive<u32>) -> impl Fn(&str) -> Result<u32, String> {
    move |value| {
        value.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
            format!("must be a number from {} to {}, e.g. {}", range.start(), range.end(), range.start())
        })
    }
}

/// Parses a duration such as `90s`, `30m`, `72h` or `7d`: at least a second, at most ten years.
///
/// # Errors
/// When it has no unit or is out of range.
pub fn duration(value: &str) -> Result<Duration, String> {
    let wrong = || "must be a duration with a unit, e.g. 90s, 30m, 72h or 7d".to_owned();
    let unit = match value.as_bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3_600,
        Some(b'd') => 86_400,
        _ => return Err(wrong()),
    };
    let count: u64 = value[..value.len() - 1].parse().map_err(|_| wrong())?;
    let seconds = count.checked_mul(unit).filter(|seconds| (1..=315_360_000).contains(seconds)).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}
