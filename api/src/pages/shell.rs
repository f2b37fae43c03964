//! The shell: the HTML document of every page, which names the files of the page and holds what its scripts need first.

use askama::Template;
use poem::{
    Response,
    http::{StatusCode, header},
};
use portico_domain::platform::{error::Error, language::Language};
use serde_json::json;
use url::form_urlencoded::Serializer;

use super::{
    brand::Brand,
    language::without_scripts,
    manifest::{Area, Page},
};

/// What a page may do: load scripts, styles, fonts and images of its own origin, and send requests to it. Its scripts
/// can make neither HTML nor scripts from text (Trusted Types), and no other page can show it in a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src \
                      'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// The shell of a page. The template escapes every value.
#[derive(Template)]
#[template(path = "pages/shell.html")]
pub(super) struct Shell<'a> {
    build: &'a str,
    language: Language,
    /// What a browser without scripts shows.
    without_scripts: &'static str,
    brand: &'a Brand,
    /// The address of the style sheet of the brand.
    brand_styles: String,
    /// What the scripts need first, as JSON.
    meta: String,
    styles: Vec<&'a String>,
    /// The scripts, each once. Those that others import come first.
    modules: Vec<&'a String>,
}

/// What is the same in the shells of all pages.
#[derive(Clone, Copy)]
pub(super) struct Common<'a> {
    /// The build of the pages.
    pub(super) build: &'a str,
    /// `PORTICO_RETURN_ORIGINS`.
    pub(super) return_origins: &'a [String],
    /// The minimum length of passwords, in characters. Pages say it before the person types one.
    pub(super) password_min: usize,
}

impl<'a> Shell<'a> {
    /// Makes a shell without files.
    pub(super) fn new(common: Common<'a>, language: Language, brand: &'a Brand) -> Self {
        let Common { build, return_origins, password_min } = common;
        let meta = json!({
            "build": build,
            "locale": language.tag(),
            "return_origins": return_origins,
            "password_min": password_min,
            "brand": brand.json,
        });
        Self {
            build,
            language,
            without_scripts: without_scripts(language),
            brand,
            brand_styles: brand_styles(brand),
            meta: meta.to_string(),
            styles: vec![],
            modules: vec![],
        }
    }

    /// Adds the files of `area` and those of `page`, if there is such a page.
    ///
    /// Every script is a module of its own, also one that another script imports or loads later, and is not only
    /// preloaded. If a process of another version answers one of them during a deployment, it sends a script that
    /// reloads the page. The browser runs that script as a module, but not as an import, because it lacks the imported
    /// names.
    pub(super) fn with_files(mut self, area: &'a Area, page: Option<&'a Page>) -> Self {
        self.styles = area.styles.iter().chain(page.into_iter().flat_map(|page| &page.styles)).collect();
        let texts = page.into_iter().flat_map(|page| page.texts(self.language));
        let of_page = page.into_iter().flat_map(|page| &page.preload).chain(texts);
        for script in area.preload.iter().chain(&area.scripts).chain(of_page) {
            if !self.modules.contains(&script) {
                self.modules.push(script);
            }
        }
        self
    }

    /// Returns the response.
    ///
    /// # Errors
    /// `internal` if the template cannot be rendered.
    pub(super) fn into_response(self, status: StatusCode) -> Result<Response, Error> {
        let html = self.render().map_err(|error| Error::Internal(format!("cannot render the shell: {error}")))?;
        Ok(Response::builder()
            .status(status)
            .content_type("text/html; charset=utf-8")
            .header(header::CONTENT_SECURITY_POLICY, POLICY)
            .body(html))
    }
}

/// Returns the address of the style sheet of `brand`. It has the version, so that a change is seen at once.
fn brand_styles(brand: &Brand) -> String {
    let path = "/api/portal/brand.css";
    let Some(tenant) = &brand.tenant else { return path.into() };
    let query = Serializer::new(String::new())
        .append_pair("tenant", tenant)
        .append_pair("v", &brand.version.to_string())
        .finish();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::manifest::Manifest;

    fn neutral() -> Brand {
        Brand { tenant: None, name: "Client portal".into(), locale: None, version: 0, json: json!({}) }
    }

    fn shell(brand: &Brand) -> String {
        let return_origins = &["https://app.example.com".to_owned()];
        let common = Common { build: "0123456789abcdef", return_origins, password_min: 8 };
        Shell::new(common, Language::German, brand).render().unwrap()
    }

    /// The name of a tenant may have any characters, and the slug ends up in the address of a style sheet.
    #[test]
    fn text_of_a_brand_stays_text() {
        let hostile = "\"><script>alert('x')</script><!-- & ]]>";
        let brand = Brand {
            tenant: Some(hostile.into()),
            name: hostile.into(),
            locale: None,
            version: 7,
            json: json!({ "name": hostile }),
        };
        let html = shell(&brand);
        assert!(!html.contains("<script>") && !html.contains("<!--") && !html.contains("alert('"), "{html}");
        let (_, meta) = html.split_once("<meta name=\"portico\" content=\"").unwrap();
        let (meta, _) = meta.split_once("\">\n").unwrap();
        let entities = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
        let meta = entities.into_iter().fold(meta.to_owned(), |text, (entity, char)| text.replace(entity, char));
        let meta: serde_json::Value = serde_json::from_str(&meta).unwrap();
        assert_eq!(meta["brand"]["name"], hostile);
        assert_eq!(meta["return_origins"][0], "https://app.example.com");
        assert_eq!((&meta["build"], &meta["locale"]), (&"0123456789abcdef".into(), &"de".into()));
        assert!(html.contains("/api/portal/brand.css?tenant=%22%3E%3Cscript%3E"), "{html}");
    }

    /// A browser runs an imported module before the one that imports it, so the order saves it from waiting.
    #[test]
    fn scripts_are_modules_in_the_order_in_which_they_run() {
        let brand = neutral();
        let page = r#"{ "path": "/portal", "styles": ["home.css"], "preload": ["data.js"],
            "texts": { "de": ["dates.js", "data.js", "de.js"], "en": ["en.js"] } }"#;
        let area =
            format!(r#"{{ "scripts": ["main.js"], "styles": ["all.css"], "preload": ["app.js"], "pages": [{page}] }}"#);
        let manifest = Manifest::parse(format!(r#"{{ "portal": {area}, "console": {area} }}"#).as_bytes()).unwrap();
        let area = manifest.area_at("/portal");
        let common = Common { build: "b", return_origins: &[], password_min: 8 };
        let shell = Shell::new(common, Language::German, &brand).with_files(area, area.page_at("/portal"));
        assert_eq!(shell.modules, ["app.js", "main.js", "data.js", "dates.js", "de.js"]);
        assert_eq!(shell.styles, ["all.css", "home.css"]);
        let html = shell.render().unwrap();
        assert!(html.contains("<script type=\"module\" src=\"/assets/b/main.js\"></script>"), "{html}");
        assert!(html.contains("<link rel=\"stylesheet\" href=\"/assets/b/home.css\">"), "{html}");
    }

    #[test]
    fn neutral_brand_has_a_style_sheet_without_a_tenant() {
        let brand = neutral();
        let html = shell(&brand);
        assert!(html.contains("<link id=\"brand\" rel=\"stylesheet\" href=\"/api/portal/brand.css\">"), "{html}");
        assert!(html.len() < 1_500, "{}", html.len());
    }
}
