//! `pages.json`, which the build of the pages writes: the addresses of the pages, and the files that each one needs.

use std::collections::HashMap;

use portico_domain::platform::language::Language;
use serde::Deserialize;

/// The name of the file in `web/dist`.
pub(super) const FILE: &str = "pages.json";

/// The pages.
#[derive(Deserialize)]
pub(super) struct Manifest {
    portal: Area,
    console: Area,
}

/// The portal or the console.
#[derive(Deserialize)]
pub(super) struct Area {
    /// The entry scripts.
    pub(super) scripts: Vec<String>,
    /// The style sheets.
    pub(super) styles: Vec<String>,
    /// The scripts that the entry scripts import.
    pub(super) preload: Vec<String>,
    pages: Vec<Page>,
}

/// A page.
#[derive(Deserialize)]
pub(super) struct Page {
    /// The path. A segment `:name` matches any segment that is not empty.
    path: String,
    /// The style sheets that this page needs besides those of its area.
    pub(super) styles: Vec<String>,
    /// The scripts that this page needs besides those of its area.
    pub(super) preload: Vec<String>,
    /// The scripts with the texts of the page, by language.
    texts: HashMap<String, Vec<String>>,
}

impl Manifest {
    /// Parses the file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(json).map_err(|error| format!("{FILE} is missing or malformed: {error}"))
    }

    /// Returns the area of a path of the pages.
    pub(super) fn area_at(&self, path: &str) -> &Area {
        if path.starts_with("/console") { &self.console } else { &self.portal }
    }

    /// Returns the names of all files of all pages.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        let files = [&self.portal, &self.console].into_iter().flat_map(|area| {
            let of_pages = area.pages.iter().flat_map(Page::files);
            area.scripts.iter().chain(&area.styles).chain(&area.preload).chain(of_pages)
        });
        files.map(String::as_str)
    }
}

impl Area {
    /// Returns the page at `path`. One with fewer `:name` segments takes precedence.
    pub(super) fn page_at(&self, path: &str) -> Option<&Page> {
        let matching = self.pages.iter().filter(|page| page.matches(path));
        matching.min_by_key(|page| page.path.matches("/:").count())
    }
}

impl Page {
    /// Returns the scripts with the texts of the page in `language`.
    pub(super) fn texts(&self, language: Language) -> impl Iterator<Item = &String> {
        self.texts.get(language.tag()).into_iter().flatten()
    }

    /// Returns the files that this page needs, in all languages, besides those of its area.
    fn files(&self) -> impl Iterator<Item = &String> {
        self.styles.iter().chain(&self.preload).chain(self.texts.values().flatten())
    }

    fn matches(&self, path: &str) -> bool {
        let (mut segments, mut template) = (path.split('/'), self.path.split('/'));
        loop {
            match (segments.next(), template.next()) {
                (None, None) => return true,
                (Some(segment), Some(part)) if part == segment => {}
                (Some(segment), Some(part)) if part.starts_with(':') && !segment.is_empty() => {}
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{
        "portal": { "scripts": ["p.js"], "styles": ["p.css"], "preload": [], "pages": [
            { "path": "/portal", "styles": ["h.css"], "preload": [], "texts": {} },
            { "path": "/portal/sign-in", "styles": [], "preload": ["s.js"],
              "texts": { "en": ["s.en.js"], "de": ["s.de.js"] } }
        ] },
        "console": { "scripts": ["c.js"], "styles": [], "preload": ["k.js"], "pages": [
            { "path": "/console/clients/:client", "styles": [], "preload": [], "texts": {} },
            { "path": "/console/clients/new", "styles": [], "preload": [], "texts": {} },
            { "path": "/console/clients/:client/bulk-invite", "styles": [], "preload": [], "texts": {} }
        ] }
    }"#;

    #[test]
    fn page_is_found_by_its_path() {
        let manifest = Manifest::parse(JSON.as_bytes()).unwrap();
        let found = |path: &str| manifest.area_at(path).page_at(path).map(|page| page.path.clone());
        for (path, page) in [
            ("/portal", "/portal"),
            ("/portal/sign-in", "/portal/sign-in"),
            ("/console/clients/new", "/console/clients/new"),
            ("/console/clients/7", "/console/clients/:client"),
            ("/console/clients/%2F", "/console/clients/:client"),
            ("/console/clients/7/bulk-invite", "/console/clients/:client/bulk-invite"),
        ] {
            assert_eq!(found(path).as_deref(), Some(page));
        }
        for path in [
            "/portal/",
            "/portal/Sign-in",
            "/portal/sign-in/",
            "/console",
            "/console/clients/",
            "/console/clients//bulk-invite",
            "/console/clients/7/x",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
    }

    #[test]
    fn files_are_those_of_both_areas_and_all_languages() {
        let manifest = Manifest::parse(JSON.as_bytes()).unwrap();
        let mut files: Vec<_> = manifest.files().collect();
        files.sort_unstable();
        assert_eq!(files, ["c.js", "h.css", "k.js", "p.css", "p.js", "s.de.js", "s.en.js", "s.js"]);
        let sign_in = manifest.portal.page_at("/portal/sign-in").unwrap();
        assert_eq!(sign_in.texts(Language::German).collect::<Vec<_>>(), ["s.de.js"]);
        assert_eq!(sign_in.texts(Language::French).count(), 0);
    }
}
