//! Who may know whom.

use std::{collections::BTreeSet, fs, path::Path};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each crate may depend on: of ours, and of the libraries that have one owner.
const MAY_KNOW: [(&str, &[&str]); 7] = [
    ("portico", &["portico-api", "portico-worker", "portico-domain", "portico-migration", "portico-queue"]),
    ("portico-api", &["portico-domain", "poem", "poem-openapi", "governor"]),
    ("portico-worker", &["portico-domain", "portico-queue", "apalis"]),
    ("portico-domain", &["portico-entity", "portico-queue", "sea-orm", "lettre", "scrypt"]),
    ("portico-entity", &["sea-orm"]),
    ("portico-queue", &["apalis-core", "redis"]),
    ("portico-migration", &["sea-orm", "sea-orm-migration"]),
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
const MAY_ASK: [&str; 4] =
    ["domain/src/database.rs", "domain/src/settings/mod.rs", "domain/src/throttle/mod.rs", "src/compose.rs"];

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
            assert!(excepted || word.is_none() || file.ends_with("testing.rs"), "{} asks {word:?}", file.display());
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
