//! Who may know whom.

use std::{collections::BTreeSet, fs, path::Path};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each crate may depend on: of ours, and of the libraries that have one owner.
const MAY_KNOW: [(&str, &[&str]); 9] = [
    ("portico", &["portico-api", "portico-worker", "portico-domain", "portico-migration", "portico-queue"]),
    ("portico-api", &["portico-domain", "poem", "poem-openapi", "governor"]),
    ("portico-worker", &["portico-domain", "portico-queue", "apalis"]),
    ("portico-domain", &["portico-entity", "portico-queue", "sea-orm", "lettre", "scrypt", "prometheus"]),
    ("portico-entity", &["sea-orm"]),
    ("portico-queue", &["apalis-core", "redis"]),
    ("portico-migration", &["sea-orm", "sea-orm-migration"]),
    // Measures from outside, and the libraries themselves.
    ("portico-bench", &["poem", "sea-orm", "scrypt"]),
    ("portico-fuzz", &["portico-api", "portico-domain"]),
];

#[test]
fn crates_know_only_whom_they_may() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let owned: BTreeSet<&str> = MAY_KNOW.iter().flat_map(|(_, known)| known.iter().copied()).collect();
    for package in metadata.workspace_packages() {
        let (_, known) =
            MAY_KNOW.iter().find(|(name, _)| *name == package.name.as_str()).expect("a crate that the test knows");
        let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        for dependency in normal.map(|dependency| dependency.name.as_str()) {
            assert!(!owned.contains(dependency) || known.contains(&dependency), "{} knows {dependency}", package.name);
        }
    }
}

#[test]
fn stories_know_none_of_our_crates() {
    for file in rust_files(Path::new("tests")) {
        let text = fs::read_to_string(&file).unwrap();
        let knows = text.lines().any(|line| line.trim_start().starts_with("use portico"));
        assert!(!knows, "{} imports one of our crates", file.display());
    }
}

/// One query serves both databases; only migrations may ask which it is. The exceptions are about the connection, not about
/// queries: a timeout that only a server has, a folder that only a file needs, and the form of a statement's placeholders.
const MAY_ASK: [&str; 5] = [
    "domain/src/database.rs",
    "domain/src/sessions/queries.rs",
    "domain/src/settings/mod.rs",
    "domain/src/rate_limit/counters.rs",
    "src/compose.rs",
];

#[test]
fn nobody_asks_which_database_it_is() {
    for folder in ["api/src", "domain/src", "worker/src", "queue/src", "entity/src", "src"] {
        for file in rust_files(Path::new(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            let asks = |word: &&str| text.contains(*word);
            if let Some(word) = ["DbBackend::", "DatabaseBackend::"].iter().find(|word| asks(word)) {
                panic!("{} asks {word}", file.display());
            }
            let excepted = MAY_ASK.iter().any(|path| file.ends_with(path));
            let word = ["\"sqlite", "\"postgres", "get_database_backend"].iter().find(|word| asks(word));
            let is_test = ["testing.rs", "fuzzing.rs", "copy/tests.rs"].iter().any(|name| file.ends_with(name));
            assert!(excepted || word.is_none() || is_test, "{} asks {word:?}", file.display());
            assert!(!excepted || word.is_some(), "{} is excepted and asks nothing", file.display());
        }
    }
}

/// Where something that a client sent is compared with what is right, and how.
const COMPARES: [(&str, &str); 2] =
    [("domain/src/keys.rs", ".ct_eq(mac)"), ("domain/src/staff/flow_code.rs", ".ct_eq(stored.as_bytes())")];

#[test]
fn secrets_are_compared_in_constant_time() {
    let read = |file: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    for (file, comparison) in COMPARES {
        assert!(read(file).contains(comparison), "{file} compares in another way");
    }
    assert!(!read("domain/src/secret.rs").contains("PartialEq"), "a secret can be compared by ==");
    for file in rust_files(Path::new("domain/src")) {
        let text = fs::read_to_string(&file).unwrap();
        let compares = |line: &&str| line.contains("mac(") && ["==", "!="].iter().any(|sign| line.contains(sign));
        assert_eq!(text.lines().find(compares), None, "{}", file.display());
    }
}

/// The groups of cases that a test may be named after.
const GROUPS: [&str; 14] =
    ["enum", "pwd", "thr", "rst", "inv", "otp", "eml", "ses", "jwt", "msg", "http", "log", "job", "inf"];

#[test]
fn the_table_of_attacks_names_every_test_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
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

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "node_modules") {
                files.extend(rust_files(path.strip_prefix(root).unwrap()));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
