//! `/dev/mail`: the development mailbox, which shows the mails that Portico sent.
//!
//! It exists in development only, and answers only a loopback peer that names a loopback host in `Host`.

use askama::Template;
use poem::{
    IntoResponse, Request, Response, Result, handler,
    http::header,
    web::{Data, Json, Query},
};
use portico_domain::platform::{
    app::App,
    email_address::EmailAddress,
    error::Error,
    mail::{Mailer, SentMail},
};
use serde::Deserialize;
use url::Host;

use crate::http::{error::ApiError, host::is_loopback};

/// What the page may load: nothing, its own styles, and the images within mails. A mail has the same policy, because
/// its document is in an attribute of the page.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; \
                           base-uri 'none'; form-action 'none'";
/// The largest number of mails on the page. Each has a frame, which costs the browser time.
const MAX_MAILS: usize = 50;
/// The start of the document of a mail. A link opens in a new tab, because the frame of the mail shows nothing else.
const MAIL_PREFIX: &str = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
                           'unsafe-inline'; img-src data:; form-action 'none'\"><base target=\"_blank\">";

/// The query of a mailbox request.
#[derive(Deserialize)]
struct Filter {
    /// The recipient. If it is absent, the mails to every recipient are returned.
    to: Option<String>,
}

/// Answers `/dev/mail.json`: the sent mails as JSON, newest first; with `?to=ADDRESS` only those to that address.
///
/// # Errors
/// `not_found` if the request is not local; `internal` if the mail folder cannot be read.
#[handler]
pub(crate) fn mailbox_json(
    request: &Request,
    Data(app): Data<&App>,
    Query(filter): Query<Filter>,
) -> Result<Json<Vec<SentMail>>> {
    check_local(request)?;
    Ok(Json(mails(app, filter.to.as_deref())?))
}

/// Answers `/dev/mail`: the newest [`MAX_MAILS`] mails as an HTML page, newest first; with `?to=ADDRESS` only those to
/// that address.
///
/// # Errors
/// As for [`mailbox_json`].
#[handler]
pub(crate) fn mailbox_page(request: &Request, Data(app): Data<&App>, Query(filter): Query<Filter>) -> Result<Response> {
    check_local(request)?;
    let mails = mails(app, filter.to.as_deref())?;
    let shown = &mails[..mails.len().min(MAX_MAILS)];
    let html = MailboxPage { mails: shown, hidden: mails.len() - shown.len(), to: filter.to.as_deref() }.render();
    let html =
        html.map_err(|error| ApiError::Domain(Error::Internal(format!("cannot render the mailbox: {error}"))))?;
    let response = Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)
        .body(html);
    Ok(response.into_response())
}

/// Returns the mails to `to`, or all mails. An invalid address matches no mail.
fn mails(app: &App, to: Option<&str>) -> Result<Vec<SentMail>> {
    let address = to.and_then(|to| to.parse::<EmailAddress>().ok());
    let mails = app.get::<Mailer>().sent(address.as_ref().map(EmailAddress::as_str).or(to));
    Ok(mails.map_err(|error| ApiError::Domain(Error::Internal(format!("cannot read the mail folder: {error}"))))?)
}

/// Checks that the peer and the host name of the request are local.
///
/// The mailbox shows live links and codes. A foreign web page could point its own host name at 127.0.0.1 and read the
/// mailbox through the developer's browser (DNS rebinding), so the `Host` header is checked as well as the peer.
///
/// # Errors
/// `not_found`.
fn check_local(request: &Request) -> Result<()> {
    let is_local_peer = request.remote_addr().as_socket_addr().is_some_and(|address| address.ip().is_loopback());
    let host = request.header(header::HOST).unwrap_or_default();
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let host_name = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(host_name, _)| host_name);
    if is_local_peer && Host::parse(host_name).is_ok_and(|host| is_loopback(&host)) {
        Ok(())
    } else {
        Err(ApiError::Domain(Error::NOT_FOUND).into())
    }
}

/// The page. The template escapes every value.
#[derive(Template)]
#[template(path = "http/dev_mailbox.html")]
struct MailboxPage<'a> {
    mails: &'a [SentMail],
    /// The number of older mails that the page does not show.
    hidden: usize,
    /// The recipient whose mails the page shows. `None` if it shows all mails.
    to: Option<&'a str>,
}

impl MailboxPage<'_> {
    /// Returns the document of the HTML part of a mail, for the frame that shows it.
    fn document(&self, mail: &SentMail) -> String {
        format!("{MAIL_PREFIX}{}", mail.html)
    }
}
