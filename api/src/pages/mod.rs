//! The web pages: the portal and the staff console.
//!
//! The server knows only what `web/dist/pages.json` says of them ([`manifest`]). It answers the address of a page with
//! the shell ([`shell`]), a small HTML document that names the scripts and styles of the page, and serves these files
//! under an address that depends on their contents ([`assets`]).
//!
//! The pages are beside the operations of the API: they do not count for `PORTICO_LIMIT_REQUESTS`, and a request is
//! dropped if its client disconnects.

mod assets;
mod brand;
mod dist;
mod encoding;
mod language;
mod manifest;
mod preferences;
mod route;
mod shell;
mod visitor;

use std::{any::type_name, io, sync::Arc};

use poem::{
    Endpoint, IntoResponse, Middleware, Request, Response, Result,
    http::{Method, StatusCode, header},
    web::Redirect,
};
use portico_domain::{
    identity::passwords::PasswordSettings,
    platform::{app::App, error::Error},
};

use crate::http::{error::ApiError, middleware::check_head, rate_limit::RateLimits, settings::ApiSettings};
use assets::Assets;
use manifest::Manifest;
use route::Route;
pub(crate) use route::operation_at;
use shell::Shell;

/// What `/robots.txt` says: search engines index nothing.
const ROBOTS: &str = "User-agent: *\nDisallow: /\n";

/// The pages of this process.
pub(crate) struct Pages {
    assets: Assets,
    manifest: Manifest,
    return_origins: Vec<String>,
}

impl Pages {
    /// Reads the files of the pages. `None` if `PORTICO_PAGES` is off.
    ///
    /// # Errors
    /// If `pages.json` is missing or malformed, or names a file that does not exist. The build of the pages never makes
    /// such a folder.
    pub(crate) fn read(settings: &ApiSettings) -> io::Result<Option<Self>> {
        if !settings.serves_pages {
            return Ok(None);
        }
        let pages = Self::new(dist::files(), settings.return_origins.clone());
        pages.map(Some).map_err(|fault| io::Error::other(format!("web/dist: {fault}")))
    }

    fn new(files: impl IntoIterator<Item = dist::File>, return_origins: Vec<String>) -> Result<Self, String> {
        let assets = Assets::new(files);
        let manifest = Manifest::parse(assets.content(manifest::FILE).unwrap_or_default())?;
        if let Some(missing) = manifest.files().find(|file| assets.content(file).is_none()) {
            return Err(format!("{} names {missing}, which does not exist", manifest::FILE));
        }
        Ok(Self { assets, manifest, return_origins })
    }

    async fn respond(&self, request: &Request, route: Route<'_>) -> Result<Response, ApiError> {
        check_head(request)?;
        if *request.method() != Method::GET {
            return Err(ApiError::MethodNotAllowed("GET, HEAD".into()));
        }
        let not_found = || ApiError::Domain(Error::NOT_FOUND);
        match route {
            Route::Home => Ok(Redirect::temporary("/portal").with_status(StatusCode::FOUND).into_response()),
            Route::Page(path) => self.shell(request, path).await,
            Route::Asset { build, file } if build == self.assets.build() => {
                self.assets.immutable(file, request.headers()).ok_or_else(not_found)
            }
            Route::Asset { build, file } => assets::of_other_build(build, file).ok_or_else(not_found),
            Route::File(file) => self.assets.short_lived(file, request.headers()).ok_or_else(not_found),
            Route::Robots => Ok(Response::builder()
                .content_type("text/plain; charset=utf-8")
                .header(header::CACHE_CONTROL, assets::SHORT_LIVED)
                .body(ROBOTS)),
        }
    }

    /// Answers the shell of the page at `path`, with status 404 if there is no such page.
    async fn shell(&self, request: &Request, path: &str) -> Result<Response, ApiError> {
        let (app, rate_limits, context) = (data::<App>(request)?, data::<Arc<RateLimits>>(request)?, data(request)?);
        let brand = brand::of_slug(app, rate_limits, context, visitor::tenant(request).as_deref()).await;
        let language = visitor::language(request, brand.locale.as_deref());
        let area = self.manifest.area_at(path);
        let page = area.page_at(path);
        let common = shell::Common {
            build: self.assets.build(),
            return_origins: &self.return_origins,
            password_min: app.section::<PasswordSettings>().min,
        };
        let shell = Shell::new(common, language, &brand).with_files(area, page);
        let status = if page.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
        Ok(shell.into_response(status)?)
    }
}

/// Returns what the outer middleware has added to the request.
///
/// # Errors
/// `internal` if it has not.
fn data<T: Send + Sync + 'static>(request: &Request) -> Result<&T, Error> {
    request.data().ok_or_else(|| Error::Internal(format!("the request has no {}", type_name::<T>())))
}

/// The middleware that answers the requests for pages, and hands all others to the API.
pub(crate) struct PagesMiddleware {
    /// The pages. `None` if this process serves none.
    pub(crate) pages: Option<Arc<Pages>>,
}

/// The endpoint that [`PagesMiddleware`] makes.
pub(crate) struct PagesEndpoint<E> {
    pages: Option<Arc<Pages>>,
    api: E,
}

impl<E: Endpoint> Middleware<E> for PagesMiddleware {
    type Output = PagesEndpoint<E>;

    fn transform(&self, api: E) -> PagesEndpoint<E> {
        PagesEndpoint { pages: self.pages.clone(), api }
    }
}

impl<E: Endpoint> Endpoint for PagesEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        match (&self.pages, Route::at(request.uri().path())) {
            (Some(pages), Some(route)) => Ok(pages.respond(&request, route).await?),
            _ => Ok(self.api.call(request).await?.into_response()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    /// The pages of a build whose entry script has this content.
    fn pages(script: &'static str) -> Pages {
        let area = r#"{ "scripts": ["entry.js"], "styles": [], "preload": ["chunk.js"], "pages": [] }"#;
        let manifest = format!(r#"{{ "portal": {area}, "console": {area} }}"#);
        let files = [("entry.js", script.into()), ("chunk.js", "1".to_owned()), ("pages.json", manifest)];
        let files = files.map(|(name, content)| (name.to_owned(), Cow::Owned(content.into_bytes())));
        Pages::new(files, vec![]).unwrap()
    }

    async fn get(pages: &Pages, path: &str) -> Result<String, ApiError> {
        let request = Request::builder().header(header::HOST, "localhost").finish();
        let response = pages.respond(&request, Route::at(path).unwrap()).await?;
        Ok(response.into_body().into_string().await.unwrap())
    }

    /// During a deployment, the processes behind a proxy have two builds.
    #[tokio::test]
    async fn script_of_another_build_reloads_the_page_until_one_process_has_all_of_it() {
        let (old, new) = (pages("old"), pages("new"));
        let of_new = |file: &str| format!("/assets/{}/{file}", new.assets.build());
        assert_eq!(get(&new, &of_new("entry.js")).await.unwrap(), "new");
        assert!(get(&old, &of_new("entry.js")).await.unwrap().contains("location.reload()"));
        assert!(get(&old, &of_new("no-longer-there.js")).await.unwrap().contains("location.reload()"));
        for (pages, file) in [(&old, "pages.json"), (&new, "no-longer-there.js")] {
            assert_eq!(get(pages, &of_new(file)).await.unwrap_err().to_string(), "not_found", "{file}");
        }
    }

    #[test]
    fn folder_that_the_build_did_not_finish_is_refused() {
        let file = |name: &str, content: &'static str| (name.to_owned(), Cow::Borrowed(content.as_bytes()));
        let fault = |files: Vec<dist::File>| Pages::new(files, vec![]).err().unwrap();
        assert!(fault(vec![]).starts_with("pages.json is missing"));
        assert!(fault(vec![file("pages.json", "{}")]).contains("missing field"));
        let area = r#"{ "scripts": ["a.js"], "styles": [], "preload": [], "pages": [] }"#;
        let manifest = format!(r#"{{ "portal": {area}, "console": {area} }}"#).leak();
        assert_eq!(fault(vec![file("pages.json", manifest)]), "pages.json names a.js, which does not exist");
    }

    #[test]
    fn committed_folder_can_be_served() {
        Pages::new(dist::files(), vec![]).unwrap();
    }
}
