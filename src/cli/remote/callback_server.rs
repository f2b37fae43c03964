//! The port of this machine to which a browser brings the code of a login, or the answer that it was denied.
//!
//! Every program and every page on this machine can send requests to the port. Only a request with the state of the
//! login counts. Any other is answered and forgotten, so that it cannot end the login.

use std::{convert::Infallible, net::Ipv4Addr, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use portico_domain::identity::cli_logins::LoginState;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, oneshot},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::task::TaskTracker;
use url::form_urlencoded;

use super::failure::{Failure, Result};

/// The path to which the server sends the browser.
const PATH: &str = "/callback";
/// How many connections are served at the same time. Others wait until one of these ends.
const MAX_CONNECTIONS: usize = 32;
/// How long the head of a request may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the browser may take to receive the last page.
const LAST_PAGE_TIMEOUT: Duration = Duration::from_secs(2);
/// The pause after a connection that could not be accepted, for example because too many files are open.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// What the browser shows at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// The login has succeeded.
    LoggedIn,
    /// The login has failed. The terminal says why.
    Failed,
    /// The code was refused.
    Refused,
    /// The staff user has denied the login.
    Denied,
}

/// What the browser has brought.
pub(super) struct Callback {
    /// The code, which may be wrong. `None` if the login was denied.
    pub(super) code: Option<String>,
    /// Where to send what the browser shows.
    pub(super) answer: oneshot::Sender<Page>,
}

/// A running server. Dropping it closes the port.
pub(super) struct CallbackServer {
    /// The port.
    pub(super) port: u16,
    callbacks: mpsc::Receiver<Callback>,
    connections: TaskTracker,
    /// The one task that accepts connections.
    accepting: JoinSet<()>,
}

/// What the connections of a server share.
struct Login {
    port: u16,
    state: LoginState,
    callbacks: mpsc::Sender<Callback>,
}

impl CallbackServer {
    /// Listens on a free port of the loopback address, for the login with this `state`.
    ///
    /// # Errors
    /// A failure with the exit code 1 if there is no free port.
    pub(super) async fn start(state: LoginState) -> Result<Self> {
        let failed = |error| Failure::failed(format!("cannot listen on 127.0.0.1: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let (sender, callbacks) = mpsc::channel(1);
        let connections = TaskTracker::new();
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, connections.clone(), Arc::new(Login { port, state, callbacks: sender })));
        Ok(Self { port, callbacks, connections, accepting })
    }

    /// Returns what a browser brings next together with the state of the login.
    ///
    /// # Errors
    /// A failure with the exit code 1 if the server has ended.
    pub(super) async fn next(&mut self) -> Result<Callback> {
        self.callbacks.recv().await.ok_or_else(|| Failure::failed("the port of the login was closed"))
    }

    /// Waits until every browser has received its page, and closes the port.
    pub(super) async fn close(self) {
        drop(self.accepting);
        // A further code is answered at once.
        drop(self.callbacks);
        self.connections.close();
        let _ = timeout(LAST_PAGE_TIMEOUT, self.connections.wait()).await;
    }
}

/// Accepts connections and serves each in a task of its own.
async fn accept(listener: TcpListener, connections: TaskTracker, login: Arc<Login>) {
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = free.clone().acquire_owned().await;
        match listener.accept().await {
            Ok((socket, _)) => {
                let login = login.clone();
                connections.spawn(async move {
                    serve(socket, &login).await;
                    drop(permit);
                });
            }
            Err(_) => sleep(ACCEPT_RETRY_DELAY).await,
        }
    }
}

/// Serves one request of a connection. A connection that fails is of no interest.
async fn serve(socket: TcpStream, login: &Login) {
    let service = service_fn(async |request: Request<Incoming>| Ok::<_, Infallible>(answer(&request, login).await));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(socket), service);
    let _ = connection.await;
}

async fn answer<B>(request: &Request<B>, login: &Login) -> Response<Full<Bytes>> {
    let code = match code(request, login) {
        Ok(code) => code,
        Err(status) => return page(status, "This is not the page of a login."),
    };
    let (answer, shown) = oneshot::channel();
    let _ = login.callbacks.send(Callback { code, answer }).await;
    match shown.await {
        Ok(Page::LoggedIn) => page(StatusCode::OK, "You are logged in. You can close this window."),
        Ok(Page::Failed) => page(StatusCode::BAD_GATEWAY, "The login has failed. The terminal says why."),
        Ok(Page::Refused) => page(StatusCode::FORBIDDEN, "The server has refused this login. Approve it again."),
        Ok(Page::Denied) => page(StatusCode::OK, "You have denied the login. You can close this window."),
        Err(_) => page(StatusCode::GONE, "This login is over. You can close this window."),
    }
}

/// Returns the code in a request that belongs to the login, or `None` if the request says that the login was denied
/// (RFC 6749, section 4.1.2.1).
///
/// # Errors
/// The status of the response to any other request.
fn code<B>(request: &Request<B>, login: &Login) -> Result<Option<String>, StatusCode> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    // A page can make its own name point to this machine. The browser then sends that name.
    let host = format!("127.0.0.1:{}", login.port);
    if hosts.next().map(HeaderValue::as_bytes) != Some(host.as_bytes()) || hosts.next().is_some() {
        return Err(StatusCode::MISDIRECTED_REQUEST);
    }
    if request.uri().path() != PATH {
        return Err(StatusCode::NOT_FOUND);
    }
    if request.method() != Method::GET {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let query = request.uri().query().unwrap_or_default();
    let values = |wanted: &str| -> Vec<_> {
        form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted).map(|(_, value)| value).collect()
    };
    if !matches!(&values("state")[..], [state] if login.state.matches(state)) {
        return Err(StatusCode::BAD_REQUEST);
    }
    match (&values("code")[..], &values("error")[..]) {
        ([code], []) => Ok(Some(code.to_string())),
        ([], [error]) if error == "access_denied" => Ok(None),
        _ => Err(StatusCode::BAD_REQUEST),
    }
}

/// Returns a page with one sentence. It has no script, no style and no link, and is in no cache.
fn page(status: StatusCode, sentence: &str) -> Response<Full<Bytes>> {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"color-scheme\" content=\"light \
         dark\">\n<title>Portico</title>\n<p>{sentence}</p>\n</html>\n"
    );
    let mut response = Response::new(Full::new(Bytes::from(html)));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use portico_domain::platform::random::Random;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Sends these bytes to the port, and returns the response.
    async fn send(port: u16, request: &str) -> String {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut response = Vec::new();
        let _ = socket.read_to_end(&mut response).await;
        String::from_utf8_lossy(&response).into_owned()
    }

    /// Sends a request for a target to the port.
    async fn request(port: u16, method: &str, target: &str, hosts: &[&str]) -> String {
        let hosts: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
        send(port, &format!("{method} {target} HTTP/1.1\r\n{hosts}\r\n")).await
    }

    #[tokio::test]
    async fn only_a_request_of_the_login_is_an_answer() {
        let state = LoginState::generate(Random);
        let mut server = CallbackServer::start(state.clone()).await.unwrap();
        let (port, other) = (server.port, LoginState::generate(Random));
        let (host, right) = (format!("127.0.0.1:{port}"), format!("/callback?code=c&state={}", state.as_str()));
        let wrong_state = format!("/callback?code=c&state={}", other.as_str());
        let (twice, both) = (format!("{right}&code=d"), format!("{right}&state={}", other.as_str()));
        let (denied, failed) = (right.replace("code=c", "error=access_denied"), right.replace("code=c", "error=other"));
        let foreign_denial = wrong_state.replace("code=c", "error=access_denied");
        let contradiction = format!("{denied}&code=c");
        let (twice_denied, two_codes) = (format!("{denied}&error=access_denied"), format!("{contradiction}&code=d"));
        for (method, target, hosts, status) in [
            ("GET", &*wrong_state, &[&*host][..], 400),
            ("GET", "/callback?code=c", &[&host], 400),
            ("GET", "/callback?state=x", &[&host], 400),
            ("GET", &twice, &[&host], 400),
            ("GET", &both, &[&host], 400),
            ("GET", &failed, &[&host], 400),
            ("GET", &foreign_denial, &[&host], 400),
            ("GET", &contradiction, &[&host], 400),
            ("GET", &two_codes, &[&host], 400),
            ("GET", &twice_denied, &[&host], 400),
            ("GET", "/callback?error=access_denied", &[&host], 400),
            ("POST", &right, &[&host], 405),
            ("GET", "/", &[&host], 404),
            ("GET", "/favicon.ico", &[&host], 404),
            ("GET", &right.replace("callback", "callback/"), &[&host], 404),
            ("GET", &right, &[&format!("localhost:{port}")], 421),
            ("GET", &right, &["127.0.0.1"], 421),
            ("GET", &right, &["evil.test"], 421),
            ("GET", &right, &[&host, "evil.test"], 421),
            ("GET", &right, &[], 421),
        ] {
            let response = request(port, method, target, hosts).await;
            assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {target} {hosts:?}: {response}");
            assert!(response.contains("default-src 'none'") && response.contains("cache-control: no-store"));
        }
        assert!(send(port, "\x16\x03\x01 not HTTP\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
        assert!(server.callbacks.try_recv().is_err(), "no answer has arrived");

        for (target, code, shown, sentence) in [
            (denied, None, Page::Denied, "You have denied the login."),
            (right, Some("c"), Page::LoggedIn, "You are logged in."),
        ] {
            let host = host.clone();
            let browser = tokio::spawn(async move { request(port, "GET", &target, &[&host]).await });
            let callback = server.next().await.unwrap();
            assert_eq!(callback.code.as_deref(), code);
            callback.answer.send(shown).unwrap();
            let response = browser.await.unwrap();
            assert!(response.starts_with("HTTP/1.1 200 ") && response.contains(sentence), "{response}");
        }
        server.close().await;
    }

    #[tokio::test]
    async fn connections_that_say_nothing_do_not_keep_the_browser_out() {
        let state = LoginState::generate(Random);
        let mut server = CallbackServer::start(state.clone()).await.unwrap();
        let port = server.port;
        let mut silent = Vec::new();
        for _ in 1..MAX_CONNECTIONS {
            silent.push(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap());
        }
        let target = format!("/callback?code=c&state={}", state.as_str());
        let browser = tokio::spawn(async move { request(port, "GET", &target, &[&format!("127.0.0.1:{port}")]).await });
        let callback = server.next().await.unwrap();
        callback.answer.send(Page::Refused).unwrap();
        assert!(browser.await.unwrap().starts_with("HTTP/1.1 403 "));
    }
}
