//! The layers: which area of a crate may import which, and no cycles between folders.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{Import, imports};

/// The areas of a crate, each with the areas that it may import.
type Layers = &'static [(&'static str, &'static [&'static str])];

/// The layers of the domain. The platform imports no capability, and only `registry` imports everything.
const DOMAIN: Layers = &[
    ("platform", &[]),
    ("limits", &["platform"]),
    ("tenancy", &["platform", "limits"]),
    ("identity", &["platform", "limits", "tenancy"]),
    ("operations", &["platform", "tenancy"]),
    ("registry", &["platform", "limits", "tenancy", "identity", "operations"]),
];

/// The layers of the API. `http` imports no operation, and only `openapi` lists the operations. The pages know none.
const API: Layers = &[
    ("http", &[]),
    ("tenancy", &["http"]),
    ("identity", &["http", "tenancy"]),
    ("openapi", &["http", "tenancy", "identity"]),
    ("pages", &["http", "tenancy"]),
];

/// The modules that serve tests only.
const TEST_MODULES: [&str; 2] = ["fuzzing", "testing"];

#[test]
fn areas_of_the_domain_import_only_the_layers_below() {
    check_layers("domain/src", DOMAIN);
}

#[test]
fn areas_of_the_api_import_only_the_layers_below() {
    check_layers("api/src", API);
}

fn check_layers(src: &str, layers: Layers) {
    let mut used = BTreeSet::new();
    for Import { file, from, to } in imports(src) {
        let (Some(area), Some(target)) = (from.first(), to.first()) else { continue };
        if area == target || TEST_MODULES.iter().any(|module| [area, target].contains(&&(*module).to_owned())) {
            continue;
        }
        let allowed = layers.iter().find(|(name, _)| name == area).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("{file}: the area {area} is not in layers.rs"));
        assert!(allowed.contains(&target.as_str()), "{file} imports {}; {area} may import {allowed:?}", to.join("::"));
        used.insert((area.clone(), target.clone()));
    }
    for (area, allowed) in layers {
        for target in *allowed {
            let is_used = used.contains(&((*area).to_owned(), (*target).to_owned()));
            assert!(is_used, "{src}/{area} does not import {target}: remove it from layers.rs");
        }
    }
}

#[test]
fn folders_import_each_other_without_cycles() {
    for src in ["domain/src", "api/src", "worker/src", "queue/src", "src"] {
        let mut edges: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for import in imports(src) {
            let (from, to) = (folder(src, &import.from), folder(src, &import.to));
            if from != to && !TEST_MODULES.iter().any(|module| [&from, &to].contains(&&(*module).to_owned())) {
                edges.entry(from).or_default().entry(to).or_insert(import.file);
            }
        }
        for start in edges.keys() {
            if let Some(cycle) = path(&edges, start, start, &mut BTreeSet::new()) {
                panic!("{src}: the folders import each other in a cycle: {}", cycle.join(" -> "));
            }
        }
    }
}

/// Returns the folder of a module or of an imported item: two levels deep, such as `identity/passwords`. A file beside
/// the folders belongs to the folder that it is in.
fn folder(src: &str, path: &[String]) -> String {
    let deepest = path.iter().take(2).cloned().collect::<Vec<_>>();
    let is_folder = |parts: &[String]| super::root().join(src).join(parts.join("/")).is_dir();
    match deepest.as_slice() {
        [area, name] if is_folder(&[area.clone(), name.clone()]) => format!("{area}/{name}"),
        [area, ..] => area.clone(),
        [] => String::new(),
    }
}

/// Returns the folders on a way from `from` to `goal`, with the files that import.
fn path(
    edges: &BTreeMap<String, BTreeMap<String, String>>,
    from: &str,
    goal: &str,
    seen: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    for (to, file) in edges.get(from)? {
        if to == goal {
            return Some(vec![format!("{from} ({file})"), to.clone()]);
        }
        if seen.insert(to.clone())
            && let Some(rest) = path(edges, to, goal, seen)
        {
            return Some([vec![format!("{from} ({file})")], rest].concat());
        }
    }
    None
}
