//! The language of names, comments and documents: a list of words that have a plainer or more exact equivalent.

use std::{fs, path::Path};

use super::{files, relative};

/// Words that the project does not use, each with what to write instead.
const AVOIDED: [(&str, &str); 18] = [
    ("whoever", "name the person or the process"),
    ("whatever", "name the thing, or say \"any\""),
    ("somebody", "name the role, such as \"a portal user\""),
    ("anybody", "name the role, or say \"every caller\""),
    ("nobody", "\"no user\", \"no process\""),
    ("everybody", "\"every user\""),
    ("meanwhile", "say during what"),
    ("alike", "\"the same for\""),
    ("stranger", "\"unknown address\", \"unauthenticated caller\""),
    ("upkeep", "\"maintenance\""),
    ("throttled", "\"rate limited\""),
    ("whence", "\"from where\""),
    ("anew", "\"again\""),
    ("forthwith", "\"immediately\""),
    ("whom", "\"that\", or repeat the noun"),
    ("lately", "\"recently\", or say since when"),
    ("likewise", "\"also\", or repeat the statement"),
    ("thereof", "\"of it\""),
];

/// The text files that people write.
const EXTENSIONS: [&str; 12] = ["rs", "md", "sh", "ts", "mjs", "py", "yml", "yaml", "toml", "html", "txt", "sql"];

#[test]
fn avoided_words_do_not_occur() {
    let mut found = Vec::new();
    for file in files(Path::new(""), &EXTENSIONS) {
        let (path, text) = (relative(&file), fs::read_to_string(&file).unwrap_or_default());
        // This list, and what was said about earlier versions.
        if ["tests/stories/architecture/language.rs", "CHANGELOG.md"].contains(&path.as_str()) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let lower = line.to_lowercase();
            let words = lower.split(|c: char| !c.is_alphabetic());
            for (word, instead) in words.filter_map(|word| AVOIDED.iter().find(|(avoided, _)| *avoided == word)) {
                found.push(format!("{path}:{}: {word}; write {instead}", number + 1));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
