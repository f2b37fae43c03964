//! The rules of the code base that the compiler does not check: the direction of imports, one query for both databases,
//! comparisons in constant time, the table of attacks, and the language.

mod imports;
mod language;
mod layers;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each crate may depend on, of Portico's crates and of the libraries that belong to one crate.
const ALLOWED_DEPENDENCIES: [(&str, &[&str]); 9] = [
    ("portico", &["portico-api", "portico-worker", "portico-domain", "portico-migration", "portico-queue"]),
    ("portico-api", &["portico-domain", "poem", "poem-openapi", "rust-embed"]),
    ("portico-worker", &["portico-domain", "portico-queue", "apalis"]),
    (
        "portico-domain",
        &["portico-entity", "portico-queue", "sea-orm", "lettre", "scrypt", "prometheus", "webauthn-rs"],
    ),
    ("portico-entity", &["sea-orm"]),
    ("portico-queue", &["apalis-core", "redis"]),
    ("portico-migration", &["sea-orm", "sea-orm-migration"]),
    // The benchmark measures from outside, and compares with the libraries themselves.
    ("portico-bench", &["poem", "sea-orm", "scrypt"]),
    ("portico-fuzz", &["portico-api", "portico-domain"]),
];

#[test]
fn crates_have_only_the_allowed_dependencies() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let owned: BTreeSet<&str> = ALLOWED_DEPENDENCIES.iter().flat_map(|(_, allowed)| allowed.iter().copied()).collect();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let (_, allowed) = ALLOWED_DEPENDENCIES.iter().find(|(known, _)| *known == name).expect(name);
        let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        let used: Vec<&str> = normal.map(|dependency| dependency.name.as_str()).collect();
        for dependency in &used {
            assert!(!owned.contains(dependency) || allowed.contains(dependency), "{name} depends on {dependency}");
        }
        for dependency in *allowed {
            assert!(used.contains(dependency), "{name} does not depend on {dependency}: remove it from this list");
        }
    }
}

#[test]
fn stories_import_none_of_our_crates() {
    for file in rust_files(Path::new("tests")) {
        let text = fs::read_to_string(&file).unwrap();
        let imports = text.lines().any(|line| line.trim_start().starts_with("use portico"));
        assert!(!imports, "{} imports one of Portico's crates", file.display());
    }
}

/// The files that may ask which database is used. One query serves both databases, so the exceptions concern the
/// connection: a timeout that only a server has, a folder that only a file needs, and the placeholders of a statement.
const MAY_ASK_FOR_THE_DATABASE: [&str; 6] = [
    "domain/src/identity/sessions/queries.rs",
    "domain/src/platform/database.rs",
    "domain/src/platform/database_settings.rs",
    "domain/src/platform/pooled_transaction.rs",
    "domain/src/platform/rate_limit/counters.rs",
    "domain/src/tenancy/api_tokens/queries.rs",
];

#[test]
fn only_listed_files_ask_which_database_is_used() {
    let mut asking = BTreeSet::new();
    for folder in ["api/src", "domain/src", "worker/src", "queue/src", "entity/src", "src"] {
        for path in rust_files(Path::new(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            let file = relative(&path);
            let is_test = ["testing.rs", "fuzzing.rs", "copy/tests.rs"].iter().any(|name| file.ends_with(name));
            let words = ["DbBackend::", "\"sqlite", "\"postgres", "get_database_backend"];
            if !is_test && words.iter().any(|word| text.contains(word)) {
                asking.insert(file);
            }
        }
    }
    assert_eq!(asking, MAY_ASK_FOR_THE_DATABASE.map(str::to_owned).into());
}

/// The files that compare a secret of a client with the right one, and how.
const COMPARISONS: [(&str, &str); 2] = [
    ("domain/src/platform/keys.rs", ".ct_eq(mac)"),
    ("domain/src/identity/mailed_codes/code.rs", ".ct_eq(stored.as_bytes())"),
];

#[test]
fn secrets_are_compared_in_constant_time() {
    let read = |file: &str| fs::read_to_string(root().join(file)).unwrap();
    for (file, comparison) in COMPARISONS {
        assert!(read(file).contains(comparison), "{file} compares in another way");
    }
    assert!(!read("domain/src/platform/secret.rs").contains("PartialEq"), "a secret can be compared with ==");
    for file in rust_files(Path::new("domain/src")) {
        let text = fs::read_to_string(&file).unwrap();
        let compares = |line: &&str| line.contains("mac(") && ["==", "!="].iter().any(|sign| line.contains(sign));
        assert_eq!(text.lines().find(compares), None, "{}", file.display());
    }
}

/// A file that no module declares is not compiled, and its tests do not run.
#[test]
fn every_file_is_declared_as_a_module() {
    let folders =
        ["api/src", "bench/src", "domain/src", "entity/src", "migration/src", "queue/src", "worker/src", "src"];
    for file in folders.iter().chain(&["tests/stories"]).flat_map(|folder| rust_files(Path::new(folder))) {
        let name = file.file_stem().and_then(|name| name.to_str()).unwrap();
        let (module, folder) = match name {
            "lib" | "main" => continue,
            "mod" => (file.parent().unwrap().file_name().unwrap().to_str().unwrap(), file.parent().unwrap().parent()),
            name => (name, file.parent()),
        };
        let parents = ["mod.rs", "lib.rs", "main.rs"].map(|name| folder.unwrap().join(name));
        let is_declared = parents
            .iter()
            .filter_map(|parent| fs::read_to_string(parent).ok())
            .any(|text| text.lines().any(|line| line.trim_end().ends_with(&format!("mod {module};"))));
        assert!(is_declared, "{} is not declared: add `mod {module};` to its parent module", relative(&file));
    }
}

/// A job without fields that derives `Default` is periodic: a schedule enqueues its default value.
#[test]
fn every_periodic_job_has_a_schedule() {
    let registry = fs::read_to_string(root().join("domain/src/registry.rs")).unwrap();
    let mut periodic = 0;
    for file in rust_files(Path::new("domain/src")) {
        let text = fs::read_to_string(&file).unwrap();
        for job in text.split("impl Job for ").skip(1).filter_map(|rest| rest.split_whitespace().next()) {
            let declaration = text.split(&format!("pub struct {job} ")).next().and_then(|before| before.lines().last());
            if declaration.is_some_and(|derives| derives.contains("Default")) {
                periodic += 1;
                assert!(
                    registry.contains(&format!("Schedule::every::<{job}>")),
                    "registry.rs has no schedule of {job}"
                );
            }
        }
    }
    assert!(periodic >= 3, "the jobs are found: {periodic}");
}

/// The groups of attacks that a test may be named after.
const GROUPS: [&str; 20] = [
    "enum", "pwd", "thr", "rst", "inv", "otp", "mfa", "pky", "eml", "ses", "jwt", "pat", "az", "brd", "msg", "http",
    "web", "log", "job", "inf",
];

#[test]
fn the_table_of_attacks_names_every_test_and_no_other() {
    let root = root();
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    // Case, file and function.
    let mut named = BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| case")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [case, _, tests] = cells[..] else { panic!("not three cells: {row}") };
        for (file, function) in tests.split('`').filter_map(|test| test.split_once("::")) {
            assert!(named.insert((case.to_owned(), file.to_owned(), function.to_owned())), "twice: {row}");
        }
    }
    for (case, file, function) in &named {
        let text = fs::read_to_string(root.join(file)).unwrap_or_else(|_| panic!("{case}: there is no {file}"));
        assert!(text.contains(&format!("fn {function}(")), "{case}: there is no {function} in {file}");
    }
    for path in rust_files(Path::new("tests/stories")) {
        let file = path.strip_prefix(root).unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().map(|line| line.trim_start().trim_start_matches("async ")) {
            let Some((function, _)) = line.strip_prefix("fn ").and_then(|rest| rest.split_once('(')) else { continue };
            let mut words = function.split('_');
            let (Some(group), Some(number)) = (words.next(), words.next()) else { continue };
            if GROUPS.contains(&group) && number.parse::<u8>().is_ok() {
                let case = format!("{}-{number}", group.to_uppercase());
                let row = (case.clone(), file.to_owned(), function.to_owned());
                assert!(named.contains(&row), "docs/security.md does not name {file}::{function} at {case}");
            }
        }
    }
}

/// Returns the folder of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the path of a file relative to the repository.
fn relative(file: &Path) -> String {
    file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
}

/// Returns the Rust files in `folder` and below.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files(folder, &["rs"])
}

/// Returns the files in `folder` and below whose names end with one of these extensions.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !["node_modules", "target", "dist", "generated"].contains(&name) && !name.starts_with('.') {
                found.extend(files(path.strip_prefix(root()).unwrap(), extensions));
            }
        } else if path.extension().is_some_and(|extension| extensions.iter().any(|known| extension == *known)) {
            found.push(path);
        }
    }
    found
}
