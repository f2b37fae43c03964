//! Which paths belong to the pages.
//!
//! Paths are compared as they arrive: without decoding and without resolving `..`. So a path has one spelling.

/// What a path of the pages leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// `/`, which leads to the portal.
    Home,
    /// An address of the portal or of the console. There may be no such page.
    Page(&'a str),
    /// A file of the pages, which may be one of another build.
    Asset { build: &'a str, file: &'a str },
    /// A file of the pages that has an address of its own.
    File(&'static str),
    /// `/robots.txt`.
    Robots,
}

impl<'a> Route<'a> {
    /// Returns what `path` leads to; `None` if it does not belong to the pages.
    pub(super) fn at(path: &'a str) -> Option<Self> {
        let is_below =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        match path {
            "/" => Some(Self::Home),
            "/favicon.ico" => Some(Self::File("favicon.svg")),
            "/elements/portico-sign-in.js" => Some(Self::File("elements/portico-sign-in.js")),
            "/robots.txt" => Some(Self::Robots),
            _ if is_below("/portal") || is_below("/console") => Some(Self::Page(path)),
            _ => {
                let (build, file) = path.strip_prefix("/assets/")?.split_once('/')?;
                Some(Self::Asset { build, file })
            }
        }
    }

    /// Returns the name that logs and metrics use in the place of an operation id.
    fn operation(&self) -> &'static str {
        match self {
            Self::Home | Self::Page(_) => "get_page",
            Self::Asset { .. } | Self::File(_) | Self::Robots => "get_asset",
        }
    }
}

/// Returns the name that logs and metrics use for a request for `path`; `None` if it does not belong to the pages.
pub(crate) fn operation_at(path: &str) -> Option<&'static str> {
    Route::at(path).map(|route| route.operation())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_pages_are_found_as_they_are_spelt() {
        assert_eq!(Route::at("/"), Some(Route::Home));
        for path in ["/portal", "/portal/", "/portal/x/y", "/console", "/console/clients/%2e%2e", "/portal/../api"] {
            assert_eq!(Route::at(path), Some(Route::Page(path)));
        }
        assert_eq!(Route::at("/assets/b/x/y.js"), Some(Route::Asset { build: "b", file: "x/y.js" }));
        assert_eq!(Route::at("/assets//"), Some(Route::Asset { build: "", file: "" }));
        for path in [
            "",
            "//",
            "//portal",
            "/Portal",
            "/portals",
            "/api/portal",
            "/assets",
            "/assets/",
            "/assets/b",
            "/elements",
            "/elements/x.js",
            "/favicon.svg",
            "/robots.txt/",
            "/%70ortal",
        ] {
            assert_eq!(Route::at(path), None, "{path}");
        }
    }
}
