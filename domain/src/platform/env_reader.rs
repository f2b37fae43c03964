//! Reads environment variables, collects the errors in their values, and lists the variables that Portico knows.

use std::{collections::BTreeMap, ffi::OsString, fmt, time::Duration};

use super::service_links::is_service_link;

/// Texts that examples use in the place of a value, in lower case.
const PLACEHOLDERS: [&str; 9] = [
    "change-me",
    "changeme",
    "change_me",
    "replace-me",
    "replaceme",
    "replace_me",
    "placeholder",
    "your-password",
    ":example@",
];

/// The variables of `portico remote`, which reads no setting of a server. A server ignores them, because one machine
/// may have both.
const IGNORED: [&str; 3] = ["PORTICO_REMOTE_PROFILE", "PORTICO_REMOTE_URL", "PORTICO_REMOTE_TOKEN"];

/// An environment variable that Portico reads.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The name of the variable.
    pub name: &'static str,
    /// The value that is used if the variable is not set; empty if there is no default.
    pub default: &'static str,
    /// The meaning of the variable, the unit of its value, and the rules for its value, in Markdown.
    pub description: &'static str,
}

/// How strict Portico is about its settings (`PORTICO_ENV`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// For one developer: convenient defaults, reachable from this machine only.
    Development,
    /// Refuses to start with a setting that is unsafe on a network.
    Production,
}

/// A reader of environment variables. It collects every error, so that all of them are reported together.
///
/// ```
/// use portico_domain::platform::env_reader::{EnvReader, Environment, duration};
///
/// let values = [("PORTICO_LINK_TTL".to_owned(), "2h".to_owned())];
/// let mut env = EnvReader::new(values, Some(Environment::Development));
/// let ttl = env.read("PORTICO_LINK_TTL", "72h", "How long a link is valid.", duration);
/// assert_eq!(env.finish(ttl).unwrap().as_secs(), 7_200);
///
/// let misspelled = [("PORTICO_LINK_TLT".to_owned(), "2h".to_owned())];
/// let mut env = EnvReader::new(misspelled, Some(Environment::Development));
/// let ttl = env.read("PORTICO_LINK_TTL", "72h", "How long a link is valid.", duration);
/// let error = env.finish(ttl).unwrap_err().to_string();
/// assert_eq!(error, "PORTICO_LINK_TLT is not a variable of Portico; did you mean PORTICO_LINK_TTL?");
/// ```
pub struct EnvReader {
    /// The value of each variable; `None` if it is not UTF-8.
    values: BTreeMap<String, Option<String>>,
    known: Vec<Variable>,
    problems: Vec<String>,
    environment: Environment,
}

impl EnvReader {
    /// Creates a reader of `values`, the names and values of the environment, and reads `PORTICO_ENV`. Names that
    /// Portico does not use are ignored, except unknown `PORTICO_*` names, which [`finish`](Self::finish) reports.
    ///
    /// The environment belongs to the whole machine, so names and values may be any bytes. Only a variable that Portico
    /// reads must be UTF-8.
    ///
    /// `fallback` is the environment that applies if `PORTICO_ENV` is not set. Without it, the variable is required.
    pub fn new<N, V>(values: impl IntoIterator<Item = (N, V)>, fallback: Option<Environment>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let values = values.into_iter().map(|(name, value)| (name.into(), value.into()));
        // No name that Portico reads contains the character that replaces other bytes here.
        let values = values.map(|(name, value)| (name.to_string_lossy().into_owned(), value.into_string().ok()));
        let mut env = Self {
            values: values.collect(),
            known: Vec::new(),
            problems: Vec::new(),
            environment: Environment::Production,
        };
        let description = "`development` or `production`. The default of `portico dev` is `development`; the \
            other commands require a value. Production refuses settings that are unsafe on a network.";
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

    /// Returns the environment that `PORTICO_ENV` or the fallback names; production if both are missing.
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// Returns whether the environment is production, in which unsafe settings are refused.
    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// Reads the variable `name` and parses its trimmed value, or `default` if it is not set. Registers the variable as
    /// known. `parse` returns an error as a clause that follows the name, such as "must be a number".
    ///
    /// Returns `None` if the value is invalid; the error is then collected.
    pub fn read<T>(
        &mut self,
        name: &'static str,
        default: &'static str,
        description: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.known.push(Variable { name, default, description });
        let value = match self.values.get(name) {
            None => default,
            Some(Some(value)) => value.trim(),
            Some(None) => {
                let example = if default.is_empty() { "text" } else { default };
                self.add_error(name, &format!("must be UTF-8, e.g. {name}={example}"));
                return None;
            }
        };
        if self.is_production() && is_placeholder(value) {
            self.add_error(name, "still holds a placeholder; replace it by the real value");
            return None;
        }
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(problem) => {
                self.add_error(name, &problem);
                None
            }
        }
    }

    /// Reads and parses the variable `name`, which has no default. Returns `None` if it is empty, not set or invalid;
    /// if it is invalid, the error is collected.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        description: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.read(name, "", description, |value| if value.is_empty() { Ok(None) } else { parse(value).map(Some) })?
    }

    /// Returns whether the variable `name` is set and not empty.
    pub fn is_set(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| value.as_ref().is_none_or(|value| !value.trim().is_empty()))
    }

    /// Adds an error about the variable `name`. `problem` is a clause that follows the name. It must not contain a
    /// value that may be secret.
    pub fn add_error(&mut self, name: &str, problem: &str) {
        self.problems.push(format!("{name} {problem}"));
    }

    /// Returns every variable that has been read so far, in the order of reading.
    pub fn known(&self) -> &[Variable] {
        &self.known
    }

    /// Returns `settings` if no error was found.
    ///
    /// # Errors
    /// All collected errors, and one error for each `PORTICO_*` variable that is set but was not read. The result is an
    /// error in any case if `settings` is `None`.
    pub fn finish<T>(mut self, settings: Option<T>) -> Result<T, SettingsError> {
        let unknown = self.values.iter().filter(|(name, value)| self.is_unknown(name, value.as_deref()));
        let unknown: Vec<String> = unknown.map(|(name, _)| name.clone()).collect();
        for name in unknown {
            let hint = nearest(&name, &self.known).map_or(String::new(), |near| format!("; did you mean {near}?"));
            self.add_error(&name, &format!("is not a variable of Portico{hint}"));
        }
        match settings {
            Some(settings) if self.problems.is_empty() => Ok(settings),
            _ => Err(SettingsError(self.problems)),
        }
    }

    fn is_unknown(&self, name: &str, value: Option<&str>) -> bool {
        let Some(rest) = name.strip_prefix("PORTICO_") else { return false };
        // `PORTICO_TEST_*` configures the tests, not the program.
        let is_of_another_program = rest.starts_with("TEST_") || IGNORED.contains(&name);
        let is_ignored = is_of_another_program || value.is_some_and(|value| is_service_link(rest, value));
        !is_ignored && !self.known.iter().any(|variable| variable.name == name)
    }
}

/// Returns whether `value` contains a placeholder, such as `change-me`, `<password>` or `<openssl rand -base64 32>`. A
/// mailbox such as `Portal <portal@example.com>` is none, and neither is a password that happens to contain `<A9>`.
fn is_placeholder(value: &str) -> bool {
    let value = value.to_lowercase();
    // Digits occur only in a placeholder of several words, because no part of a URL contains a space.
    let is_name = |name: &str| {
        let has_words = name.contains(' ');
        let is_allowed = |c: char| c.is_alphabetic() || " -_".contains(c) || (has_words && c.is_numeric());
        name.contains(char::is_alphabetic) && name.chars().all(is_allowed)
    };
    let is_marked = |part: &str| part.split_once('>').is_some_and(|(name, _)| is_name(name));
    PLACEHOLDERS.iter().any(|placeholder| value.contains(placeholder)) || value.split('<').skip(1).any(is_marked)
}

/// Returns the known name with the smallest Levenshtein distance to `name`, if that distance is at most 4.
fn nearest(name: &str, known: &[Variable]) -> Option<&'static str> {
    let near = known.iter().map(|variable| (strsim::levenshtein(name, variable.name), variable.name)).min()?;
    (near.0 <= 4).then_some(near.1)
}

/// The errors in the settings, which stop the start of Portico. Each entry is one line that starts with the name of a
/// variable.
#[derive(Debug)]
pub struct SettingsError(pub Vec<String>);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.join("\n"))
    }
}

impl std::error::Error for SettingsError {}

/// Returns a parser for a whole number in `range`, for [`EnvReader::read`].
pub fn number(range: std::ops::RangeInclusive<u32>) -> impl Fn(&str) -> Result<u32, String> {
    move |value| {
        value.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
            format!("must be a number from {} to {}, e.g. {}", range.start(), range.end(), range.start())
        })
    }
}

/// Parses a duration: a whole number and a unit, such as `90s`, `30m`, `72h` or `7d`. The minimum is one second, the
/// maximum 3650 days.
///
/// # Errors
/// A clause such as "must be a duration with a unit", if `value` is not a whole number with a unit or is out of range.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholder_is_a_name_in_angle_brackets() {
        for placeholder in [
            "smtps://u:<password>@h",
            "<the-password>",
            "<API_KEY>",
            "<your password here>",
            "<openssl rand -base64 32>",
            "redis://:a<b<password>@h",
        ] {
            assert!(is_placeholder(placeholder), "{placeholder}");
        }
        for value in [
            "smtps://u:x<A9>y@h",
            "smtps://u:<>@h",
            "smtps://u:q<->7@h",
            "redis://:a<b%20c>d@h",
            "redis://:k<x.y>z@h",
            "a<b",
            "Portal <portal@example.com>",
        ] {
            assert!(!is_placeholder(value), "{value}");
        }
    }
}
