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

/// The longest comment line and the longest line of prose, in characters.
const MAX_LINE_CHARS: usize = 120;

#[test]
fn comments_and_prose_are_at_most_120_characters_wide() {
    let mut found = Vec::new();
    for file in files(Path::new(""), &["rs", "md"]) {
        let (path, text) = (relative(&file), fs::read_to_string(&file).unwrap_or_default());
        let is_prose = path.ends_with(".md");
        let mut is_code_block = false;
        for (number, line) in text.lines().enumerate() {
            is_code_block ^= is_prose && line.starts_with("```");
            let is_text =
                if is_prose { !is_code_block && !line.starts_with('|') } else { line.trim_start().starts_with("//") };
            if is_text && line.chars().count() > MAX_LINE_CHARS && !line.contains("http") {
                found.push(format!("{path}:{}", number + 1));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
