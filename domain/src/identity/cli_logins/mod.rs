//! Logins of the command line in a browser.
//!
//! `portico remote login` listens on a port of its machine and opens the page on which the staff user approves the
//! login. The page sends the browser to that port with a code, which the program exchanges for a personal access token.
//! The code alone is not enough: the program must also show the secret (RFC 7636) whose hash it gave to the page. So a
//! program that sees the code, or listens on the port in its place, gets no token.

mod approve;
mod exchange;
mod pkce;

use std::time::Duration;

pub use approve::{CliLogin, approve};
pub use exchange::exchange;
pub use pkce::{CodeChallenge, CodeVerifier, LoginState};

/// How long the code of a login is valid.
const CODE_TTL: Duration = Duration::from_secs(60);
