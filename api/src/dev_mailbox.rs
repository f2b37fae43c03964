//! `/dev/mail`: the development mailbox. Only in development, only from this machine, only under a name of this machine.

use poem::{
    IntoResponse, Request, Response, Result, handler,
    http::header,
    web::{Data, Json, Query},
};
use portico_domain::{app::App, email_address::EmailAddress, error::Error, mail::SentMail};
use serde::Deserialize;

use crate::error::ApiError;

#[derive(Deserialize)]
struct Filter {
    to: Option<String>,
}

/// What was mailed, newest first; with `?to=` to that address only.
#[handler]
pub(crate) fn mailbox_json(
    request: &Request,
    Data(app): Data<&App>,
    Query(filter): Query<Filter>,
) -> Result<Json<Vec<SentMail>>> {
    check_local(request)?;
    Ok(Json(mails(app, filter.to.as_deref())?))
}

/// The same as a page.
#[handler]
pub(crate) fn mailbox_page(request: &Request, Data(app): Data<&App>, Query(filter): Query<Filter>) -> Result<Response> {
    check_local(request)?;
    let mails = mails(app, filter.to.as_deref())?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
    let response = Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, policy)
        .body(page(&mails));
    Ok(response.into_response())
}

fn mails(app: &App, to: Option<&str>) -> Result<Vec<SentMail>> {
    let address = to.and_then(|to| to.parse::<EmailAddress>().ok());
    let mails = app.mailer().sent(address.as_ref().map(EmailAddress::as_str).or(to));
    Ok(mails.map_err(|error| ApiError::Domain(Error::Internal(format!("the mail folder: {error}"))))?)
}

/// The mailbox holds live secrets. A page elsewhere could reach it through a name that it points at this machine, so the
/// name counts too.
fn check_local(request: &Request) -> Result<()> {
    let is_local_peer = request.remote_addr().as_socket_addr().is_some_and(|address| address.ip().is_loopback());
    let host = request.header(header::HOST).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if is_local_peer && ["localhost", "127.0.0.1", "[::1]"].contains(&name) {
        Ok(())
    } else {
        Err(ApiError::Domain(Error::NOT_FOUND).into())
    }
}

fn page(mails: &[SentMail]) -> String {
    let items: String = mails.iter().map(item).collect();
    let empty = if mails.is_empty() { "<p>No mail yet.</p>" } else { "" };
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Mailbox</title>\
         <style>body{{font:16px/1.5 sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}}\
         article{{border-top:1px solid #ccc;padding:1rem 0}}pre{{white-space:pre-wrap;overflow-wrap:anywhere}}\
         h2{{font-size:1.1rem;margin:0}}small{{color:#555}}</style>\
         <h1>Mailbox</h1>{empty}{items}</html>"
    )
}

fn item(mail: &SentMail) -> String {
    let links: String = mail
        .links
        .iter()
        .map(|link| format!("<p><a href=\"{0}\" rel=\"noreferrer\">{0}</a></p>", escaped(link)))
        .collect();
    format!(
        "<article><h2>{}</h2><small>to {} at {}</small>{links}<pre>{}</pre></article>",
        escaped(&mail.subject),
        escaped(&mail.to),
        mail.sent_at.format("%Y-%m-%d %H:%M:%S UTC"),
        escaped(&mail.text),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
