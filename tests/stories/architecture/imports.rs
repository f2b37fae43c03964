//! Which module imports which, read from the source text.

use std::{collections::BTreeSet, fs, path::Path};

use super::{root, rust_files};

/// An import of one module of a crate by another.
pub(super) struct Import {
    /// The file that imports, relative to the repository.
    pub(super) file: String,
    /// The module of that file, such as `["platform", "mail", "send"]`.
    pub(super) from: Vec<String>,
    /// The imported path, without `crate`.
    pub(super) to: Vec<String>,
}

/// Returns every import within the crate whose sources are in `src`, without the unit tests.
pub(super) fn imports(src: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    for path in rust_files(Path::new(src)) {
        let file = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let from = module_path(file.strip_prefix(src).unwrap().trim_start_matches('/'));
        let text = fs::read_to_string(&path).unwrap();
        // Unit tests are at the end of their file.
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let code: String =
            code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        for to in imported_paths(&code, &from) {
            imports.push(Import { file: file.clone(), from: from.clone(), to });
        }
    }
    imports
}

/// Returns the module of a file: `mail/mod.rs` is `["mail"]`, `mail/send.rs` is `["mail", "send"]`.
fn module_path(file: &str) -> Vec<String> {
    let mut path: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|last| last == "mod" || last == "lib") {
        path.pop();
    }
    path
}

/// Returns the paths below `crate` that the code of the module `from` names.
fn imported_paths(code: &str, from: &[String]) -> BTreeSet<Vec<String>> {
    let mut paths = BTreeSet::new();
    for start in ["crate::", "super::"] {
        for (index, _) in code.match_indices(start) {
            let before = &code[..index];
            let is_inside_of_a_path = before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            if is_inside_of_a_path || before.ends_with("pub(in ") {
                continue;
            }
            paths.extend(flatten(&code[index..]).into_iter().filter_map(|path| resolve(path, from)));
        }
    }
    paths
}

/// Returns the paths of the use tree or path at the beginning of `text`: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn flatten(text: &str) -> Vec<Vec<String>> {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        return members(group).iter().flat_map(|member| flatten(member)).collect();
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match rest.strip_prefix("::") {
        Some(rest) if !name.is_empty() => {
            flatten(rest).into_iter().map(|path| [vec![name.to_owned()], path].concat()).collect()
        }
        _ => vec![vec![name.to_owned()]],
    }
}

/// Returns the members of a group, up to its closing brace.
fn members(group: &str) -> Vec<&str> {
    let (mut members, mut depth, mut start) = (Vec::new(), 0, 0);
    for (index, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                members.push(group[start..index].trim());
                start = index + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    members.retain(|member| !member.is_empty());
    members
}

/// Returns the path below `crate`; `None` if the path has more `super` than the module has parents.
fn resolve(path: Vec<String>, from: &[String]) -> Option<Vec<String>> {
    if path[0] == "crate" {
        return Some(path[1..].to_vec());
    }
    let ups = path.iter().take_while(|part| *part == "super").count();
    let parent = from.get(..from.len().checked_sub(ups)?)?;
    Some([parent, &path[ups..]].concat())
}

#[test]
fn use_trees_are_flattened_and_resolved() {
    let code = "use crate::{limits, platform::{app::App, mail::{self, Kind}}};\nlet x = super::super::audit::record();\npub(in crate::platform) fn f() {}";
    let from = ["identity", "passwords", "reset"].map(str::to_owned);
    let found: Vec<String> = imported_paths(code, &from).into_iter().map(|path| path.join("::")).collect();
    let expected =
        ["identity::audit::record", "limits", "platform::app::App", "platform::mail::Kind", "platform::mail::self"];
    assert_eq!(found, expected);
}
