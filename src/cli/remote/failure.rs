//! Why a command of `portico remote` fails, and its exit code.

use std::fmt;

use crate::cli::text;

/// The reasons why a command fails. The value of each is its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The server or this machine has not done what was asked.
    Failed = 1,
    /// The arguments are wrong or ambiguous, or a question cannot be asked.
    Usage = 2,
    /// The server has no such object.
    NotFound = 3,
    /// The caller has no login, or may not do this.
    Refused = 4,
    /// The server did not answer, or another program answered in its place.
    Unreachable = 5,
}

/// The failure of a command. Its text is one or more lines for people, and never has a token or a code.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: FailureKind,
    /// The text, without the id of the request.
    message: String,
    /// The code of the problem document, if the server answered with one.
    code: Option<String>,
    /// The id of the request, which the log of the server repeats.
    request_id: Option<String>,
    /// The seconds after which the server may accept the request.
    retry_after: Option<u64>,
}

impl Failure {
    fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), code: None, request_id: None, retry_after: None }
    }

    /// Returns a failure with the exit code 1.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Failed, message)
    }

    /// Returns a failure with the exit code 2.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Usage, message)
    }

    /// Returns a failure with the exit code 3.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(FailureKind::NotFound, message)
    }

    /// Returns a failure with the exit code 4.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Refused, message)
    }

    /// Returns a failure with the exit code 5.
    pub(super) fn unreachable(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Unreachable, message)
    }

    /// Returns the failure of a problem document with this status and this text.
    pub(super) fn problem(status: u16, message: String, problem: super::problem::Problem) -> Self {
        let kind = match status {
            // The caller may do this, but the client is archived.
            403 if problem.code == "client_suspended" => FailureKind::Failed,
            401 | 403 => FailureKind::Refused,
            404 => FailureKind::NotFound,
            422 => FailureKind::Usage,
            503 => FailureKind::Unreachable,
            _ => FailureKind::Failed,
        };
        Self {
            code: Some(problem.code),
            request_id: problem.request_id,
            retry_after: problem.retry_after,
            ..Self::new(kind, message)
        }
    }

    /// Returns the reason.
    pub(super) fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Returns the exit code of the process.
    pub(crate) fn exit_code(&self) -> u8 {
        self.kind as u8
    }

    /// Returns whether the server answered with a problem document of this code.
    pub(super) fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Returns whether the server does not accept the credential: 401.
    pub(super) fn is_unauthenticated(&self) -> bool {
        ["unauthenticated", "session_expired", "session_revoked"].iter().any(|code| self.has_code(code))
    }

    /// Returns the seconds after which the server may accept the request.
    pub(super) fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    /// Adds a line that says what to do.
    pub(super) fn with_advice(mut self, advice: &str) -> Self {
        self.message = format!("{}\n{advice}", self.message);
        self
    }

    /// Adds a line that says what to do if the server does not accept the credential.
    pub(super) fn with_advice_if_unauthenticated(self, advice: &str) -> Self {
        if self.is_unauthenticated() { self.with_advice(advice) } else { self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A part that comes from elsewhere is cleaned where it is put in, so each line is one of ours.
        for (n, line) in self.message.split('\n').enumerate() {
            let line_feed = if n == 0 { "" } else { "\n" };
            write!(f, "{line_feed}{}", text::clean(line))?;
        }
        match &self.request_id {
            Some(id) => write!(f, "\nrequest id: {}", text::clean(id)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// The result of a command, or of a part of it.
pub(super) type Result<T, E = Failure> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_no_character_that_controls_the_terminal() {
        for (raw, shown) in
            [("a\u{1b}[2Jb", "a[2Jb"), ("a\u{202e}b", "ab"), ("a\u{9b}1mb\r", "a1mb"), ("a\u{7}b", "ab")]
        {
            let failure = Failure { request_id: Some(format!("{raw}\nx")), ..Failure::failed(format!("{raw}\n{raw}")) };
            assert_eq!(failure.to_string(), format!("{shown}\n{shown}\nrequest id: {shown} x"));
        }
    }
}
