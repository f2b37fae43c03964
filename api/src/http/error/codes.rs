//! The table of all codes of problems, and the only place that gives a failure its status. A new code is one line here.
//!
//! The internal listener has failures of its own: `internal.rs`.

/// A code of problems: why a request failed, for programs.
#[derive(Debug)]
pub(crate) struct Code {
    /// The bit in the return type of an operation that declares the code.
    pub(crate) bit: u64,
    /// The name. It never changes.
    pub(crate) name: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What the code means, for people. The same for every occurrence.
    pub(crate) title: &'static str,
    /// When an operation answers it, as a clause of the document.
    pub(crate) meaning: &'static str,
}

macro_rules! codes {
    ($($constant:ident: $status:literal, $name:literal, $title:literal, $meaning:literal;)*) => {
        /// The position of each code in the table.
        #[derive(Clone, Copy)]
        #[expect(clippy::upper_case_acronyms, non_camel_case_types, reason = "named like the constants")]
        enum Position { $($constant),* }

        $(
            #[doc = concat!("`", $name, "`: ", $meaning, ".")]
            #[allow(dead_code, reason = "codes that every operation can have are not declared by any")]
            pub(crate) const $constant: u64 = 1 << Position::$constant as u64;
        )*

        /// Every code, in the order of the statuses.
        pub(crate) const ALL: &[Code] = &[
            $(Code { bit: $constant, name: $name, status: $status, title: $title, meaning: $meaning }),*
        ];
    };
}

// Status, name, title, meaning.
codes! {
    MALFORMED_REQUEST: 400, "malformed_request", "The request cannot be parsed", "the request cannot be parsed";
    UNAUTHENTICATED: 401, "unauthenticated", "Authentication required", "the credential is missing, invalid or expired";
    SESSION_EXPIRED: 401, "session_expired", "The session has expired", "the session has expired";
    SESSION_REVOKED: 401, "session_revoked", "The session was revoked", "the session was revoked";
    INVALID_CREDENTIALS: 401, "invalid_credentials", "Wrong email address or password", "the address or the password is wrong, or the account cannot sign in here";
    INVALID_CODE: 401, "invalid_code", "The code is invalid", "the code, or the response of a passkey, is wrong, used or expired";
    FORBIDDEN: 403, "forbidden", "Permission denied", "the caller must not do this";
    CSRF_REJECTED: 403, "csrf_rejected", "Cross-site request rejected", "the request comes from a page of an origin that is not allowed";
    CLIENT_SUSPENDED: 403, "client_suspended", "The client is archived or its tenant is suspended", "the client is archived, or its tenant is suspended";
    MFA_REQUIRED: 403, "mfa_required", "A second factor is required", "the tenant requires a second factor, and the user has none or has not proved it";
    STEP_UP_REQUIRED: 403, "step_up_required", "A fresh sign-in is required", "the session is not fresh";
    NOT_FOUND: 404, "not_found", "Not found", "the object does not exist, or this caller may not see it";
    TOKEN_UNKNOWN: 404, "token_unknown", "Unknown link", "no link has this token";
    METHOD_NOT_ALLOWED: 405, "method_not_allowed", "Method not allowed", "the path does not have this method";
    REQUEST_TIMEOUT: 408, "request_timeout", "The request body did not arrive in time", "the body did not arrive within 15 seconds";
    PORTAL_USER_EXISTS: 409, "portal_user_exists", "The address was already invited to this client", "the address was already invited to the client";
    ALREADY_ACTIVATED: 409, "already_activated", "The user has already joined the client", "the user has already joined the client";
    WRONG_ACCOUNT: 409, "wrong_account", "The link belongs to another user", "the link was mailed to another user";
    LAST_ADMIN: 409, "last_admin", "The client would have no administrator", "the client would have no administrator";
    LAST_OWNER: 409, "last_owner", "The tenant needs an owner", "the tenant would have no owner";
    LAST_SIGN_IN_METHOD: 409, "last_sign_in_method", "The last way to sign in cannot be removed", "the user could not sign in any more";
    IDEMPOTENCY_MISMATCH: 409, "idempotency_mismatch", "The idempotency key was used with another body", "the idempotency key was used with another body";
    REQUIRED_BY_TENANT: 409, "required_by_tenant", "The tenant requires it", "a tenant of the user requires a second factor";
    CONFLICT: 409, "conflict", "Conflicts with existing data", "the request conflicts with existing data or with another request; `detail` says why";
    TOKEN_EXPIRED: 410, "token_expired", "The link has expired", "the link has expired";
    TOKEN_USED: 410, "token_used", "The link was already used", "the link was used";
    TOKEN_REVOKED: 410, "token_revoked", "The link was revoked or replaced", "the link was revoked or replaced";
    BODY_TOO_LARGE: 413, "body_too_large", "The request body is too large", "the body is larger than 64 KiB, or than 2 MiB for an operation with `x-large-body`; a logo may have 1 MiB";
    URI_TOO_LONG: 414, "uri_too_long", "The URI is too long", "the URI is longer than 8 KiB";
    UNSUPPORTED_MEDIA_TYPE: 415, "unsupported_media_type", "Unsupported media type", "the content type is not one of this operation, or the body is compressed";
    VALIDATION_FAILED: 422, "validation_failed", "Some values are invalid", "`errors` names every invalid field or parameter";
    TOO_MANY_REQUESTS: 429, "too_many_requests", "Too many requests", "a rate limit is used up; retry after `retry_after` seconds";
    HEADERS_TOO_LARGE: 431, "headers_too_large", "The request headers are too large", "the headers are larger than 16 KiB in total";
    OVERLOADED: 503, "overloaded", "The server is overloaded", "the server has too much work; retry after `retry_after` seconds";
    UNAVAILABLE: 503, "unavailable", "Temporarily unavailable", "the database cannot be used; retry after `retry_after` seconds";
}

/// The codes of an operation that takes the token of a mailed link.
pub(crate) const LINK_TOKEN: u64 = TOKEN_UNKNOWN | TOKEN_EXPIRED | TOKEN_USED | TOKEN_REVOKED;

/// Failures of Portico itself. No operation declares it.
const INTERNAL: Code = Code {
    bit: 0,
    name: "internal",
    status: 500,
    title: "Internal server error",
    meaning: "Portico has failed; the log says why",
};

impl Code {
    /// Returns the code of this name; `internal` if the table does not have it.
    pub(crate) fn named(name: &str) -> &'static Self {
        ALL.iter().find(|code| code.name == name).unwrap_or(&INTERNAL)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn the_page_of_the_design_lists_every_code_with_its_status() {
        let page = include_str!("../../../../docs/api-design.md");
        let (_, table) = page.split_once("| code |").unwrap();
        let mut documented = BTreeSet::new();
        for row in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let statuses: Vec<u16> = cells[2].split(", ").map(|status| status.parse().unwrap()).collect();
            for (position, name) in cells[1].split('`').skip(1).step_by(2).enumerate() {
                documented.insert((name, *statuses.get(position).unwrap_or(&statuses[0])));
            }
        }
        assert_eq!(documented, ALL.iter().map(|code| (code.name, code.status)).collect());
    }

    #[test]
    fn every_code_of_the_domain_is_in_the_table() {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/src")];
        let mut found = BTreeSet::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() {
                    folders.push(entry);
                    continue;
                }
                let text = fs::read_to_string(entry).unwrap();
                for variant in ["Unauthenticated", "Forbidden", "NotFound", "Conflict", "Gone"] {
                    let start = format!("::{variant}(\"");
                    found.extend(text.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
                }
            }
        }
        assert!(found.len() > 15, "{found:?}");
        for name in found {
            assert!(ALL.iter().any(|code| code.name == name), "{name} is not in the table");
        }
    }

    #[test]
    fn codes_are_in_the_order_of_their_statuses() {
        assert!(ALL.is_sorted_by_key(|code| code.status));
        assert_eq!(Code::named("last_owner").bit, LAST_OWNER);
        assert_eq!(Code::named("a new one").status, 500);
    }
}
