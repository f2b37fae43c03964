//! Reads the files of a deployment and fills in their secrets.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use serde_json::Value;

pub(super) type Env = BTreeMap<String, String>;

/// The path of a file or folder of the repository.
pub(super) fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The content of a file of the repository.
pub(super) fn text(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents of a YAML file.
pub(super) fn yaml(path: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs the command in `.env.example` and returns the secrets that it generates.
pub(super) fn env_file() -> Env {
    let example = text(".env.example");
    let command =
        example.lines().find_map(|line| line.strip_prefix("#   ")).expect("a command that generates the secrets");
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("bash").args(["-euc", command]).current_dir(folder.path()).status().unwrap();
    assert!(made.success(), "{command}");
    let pairs = |text: &str| -> Env {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect()
    };
    let made = pairs(&fs::read_to_string(folder.path().join(".env")).unwrap());
    assert!(made.keys().eq(pairs(&example).keys()), "the command generates the variables of the example");
    made
}

/// `docker-compose.yml` with the variables of this `.env`.
///
/// # Errors
///
/// The message of the file for a variable that is missing.
pub(super) fn compose(env: &Env) -> Result<Value, String> {
    let mut file = yaml("docker-compose.yml").remove(0);
    interpolate(&mut file, env)?;
    Ok(file)
}

/// Replaces the variables in every string of a YAML value.
fn interpolate(value: &mut Value, env: &Env) -> Result<(), String> {
    match value {
        Value::String(text) => *text = replace_variables(text, env)?,
        Value::Array(items) => items.iter_mut().try_for_each(|item| interpolate(item, env))?,
        Value::Object(fields) => fields.values_mut().try_for_each(|field| interpolate(field, env))?,
        _ => {}
    }
    Ok(())
}

/// Replaces `${NAME:?message}` and `${NAME:-default}`, the two forms that the file uses.
fn replace_variables(text: &str, env: &Env) -> Result<String, String> {
    let Some((before, rest)) = text.split_once("${") else { return Ok(text.to_owned()) };
    let (variable, after) = rest.split_once('}').expect("a variable ends with a brace");
    let (name, rule) = variable.split_once(':').expect("a rule for a missing variable");
    let value = match (env.get(name).filter(|value| !value.is_empty()), rule.split_at(1)) {
        (Some(value), _) => value,
        (None, ("-", default)) => default,
        (None, ("?", message)) => return Err(format!("{name} {message}")),
        _ => panic!("{text}"),
    };
    Ok(format!("{before}{value}{}", replace_variables(after, env)?))
}

/// The services that run Portico, by name.
pub(super) fn portico_services(compose: &Value) -> Vec<(&str, &Value)> {
    let services = compose["services"].as_object().unwrap().iter();
    services
        .filter(|(_, service)| service["image"].as_str().unwrap().starts_with("portico:"))
        .map(|(name, service)| (name.as_str(), service))
        .collect()
}

/// A map of strings as `Env`.
pub(super) fn strings(value: &Value) -> Env {
    let fields = value.as_object().unwrap_or_else(|| panic!("not a map: {value}"));
    let text = |(name, value): (&String, &Value)| {
        let value = value.as_str().unwrap_or_else(|| panic!("{name} is not a string: {value}"));
        (name.clone(), value.to_owned())
    };
    fields.iter().map(text).collect()
}

/// A list of strings, empty for a missing value.
pub(super) fn list(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|item| item.as_str().unwrap()).collect()
}

/// The manifests that the kustomization applies.
pub(super) fn manifests() -> Vec<Value> {
    let kustomization = yaml("deploy/kubernetes/kustomization.yaml").remove(0);
    let files = list(&kustomization["resources"]).into_iter().map(|file| format!("deploy/kubernetes/{file}"));
    files.flat_map(|file| yaml(&file)).collect()
}

/// The lines of a systemd unit: section, name, value.
pub(super) fn unit(path: &str) -> Vec<(String, String, String)> {
    let (text, mut section, mut lines) = (text(path), String::new(), vec![]);
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[') {
            Some(name) => section = name.trim_end_matches(']').to_owned(),
            None => {
                let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("{path}: {line}"));
                lines.push((section.clone(), name.to_owned(), value.to_owned()));
            }
        }
    }
    lines
}

/// Fills in the values that an example leaves to the operator.
pub(super) fn fill(env: &mut Env, secrets: &Env) {
    env.insert("PORTICO_SECRET".into(), secrets["PORTICO_SECRET"].clone());
    for value in env.values_mut() {
        *value = value.replace("<password>", "a-password");
    }
}
