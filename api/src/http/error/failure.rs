//! How an operation declares in its return type which failures it can answer.

use poem_openapi::{
    ApiResponse,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};
use portico_domain::platform::rate_limit::Limit;

use super::{ApiError, codes};

/// The rate limits that an operation can declare in its return type. The document lists them. Those with the scope
/// `Process` are also charged by the middleware before the handler runs; the use case charges the others.
pub(crate) mod limit {
    use portico_domain::{limits, platform::rate_limit::Limit};

    use crate::http::error::codes;

    /// The position of the first limit among the bits of the return type. The codes have those before it.
    const FIRST: u64 = 40;
    const _: () = assert!(codes::ALL.len() <= FIRST as usize && FIRST as usize + ALL.len() <= super::request::FIRST);

    macro_rules! declarable {
        ($($constant:ident),*) => {
            #[derive(Clone, Copy)]
            #[expect(clippy::upper_case_acronyms, non_camel_case_types, reason = "named like the constants")]
            enum Position { $($constant),* }

            $(
                #[doc = concat!("[`limits::", stringify!($constant), "`].")]
                pub(crate) const $constant: u64 = 1 << (FIRST + Position::$constant as u64);
            )*

            /// Every limit that an operation can declare, with its bit.
            pub(super) const ALL: &[(u64, &Limit)] = &[$(($constant, &limits::$constant)),*];
        };
    }

    declarable!(
        SIGN_IN_RATE,
        SIGN_IN_ACCOUNT,
        SIGN_IN_NETWORK,
        RECOVERY_ACCOUNT,
        RECOVERY_NETWORK,
        SEND_CODE,
        SEND_CODE_NETWORK,
        CODE_MISSES,
        TOKEN_NETWORK,
        INVITE_RECIPIENT,
        INVITE_ACTOR,
        INVITE_COLLEAGUE,
        INVITE_BULK,
        CHECK_PASSWORD,
        MFA_MISSES,
        CEREMONIES
    );

    /// The limits of an operation that checks a password.
    pub(crate) const PASSWORD: u64 = SIGN_IN_RATE | SIGN_IN_ACCOUNT | SIGN_IN_NETWORK;
    /// The limits of an operation that mails a link at the request of the person.
    pub(crate) const RECOVERY: u64 = RECOVERY_ACCOUNT | RECOVERY_NETWORK;
    /// The limits of an operation that mails an invitation or a reset link to one person at the request of staff.
    pub(crate) const INVITE: u64 = INVITE_RECIPIENT | INVITE_ACTOR;
}

/// What else an operation declares in its return type.
pub(crate) mod request {
    /// The position of the first of these among the bits of the return type.
    pub(super) const FIRST: usize = 60;
    /// The rate limit of all requests leaves the operation out: its responses are public and cost little.
    pub(crate) const UNCOUNTED: u64 = 1 << FIRST;
    /// The operation refuses no request because of its credential: a credential that proves nothing is ignored.
    pub(crate) const IGNORES_WRONG_CREDENTIAL: u64 = 1 << 61;
    /// The body may have 2 MiB.
    pub(crate) const LARGE_BODY: u64 = 1 << 62;
    /// The operation ignores its query.
    pub(crate) const IGNORES_QUERY: u64 = 1 << 63;
}

/// The failure of an operation. `DECLARED` combines constants of [`codes`], [`limit`] and [`request`]. It lists the
/// codes that not every operation has. The document adds the others, and those that follow from the caller.
pub(crate) struct Failure<const DECLARED: u64>(ApiError);

/// The result of every handler.
pub(crate) type ApiResult<T, const DECLARED: u64> = Result<T, Failure<DECLARED>>;

impl<E: Into<ApiError>, const DECLARED: u64> From<E> for Failure<DECLARED> {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl<const DECLARED: u64> From<Failure<DECLARED>> for poem::Error {
    fn from(Failure(failure): Failure<DECLARED>) -> Self {
        failure.into()
    }
}

impl<const DECLARED: u64> ApiResponse for Failure<DECLARED> {
    /// Returns the declaration in the form of a default response, whose content is an `enum` with the declaration as
    /// its only value. The document reads it with [`Declaration::take`] and puts responses in its place.
    fn meta() -> MetaResponses {
        let schema = MetaSchema { enum_items: vec![DECLARED.to_string().into()], ..MetaSchema::new("string") };
        let content = MetaMediaType { content_type: PROBLEM_JSON, schema: MetaSchemaRef::Inline(Box::new(schema)) };
        let response =
            MetaResponse { description: "", status: None, status_range: None, content: vec![content], headers: vec![] };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}

/// The media type of problems (RFC 9457 §3).
pub(super) const PROBLEM_JSON: &str = "application/problem+json; charset=utf-8";

/// What an operation has declared.
#[derive(Clone, Copy)]
pub(crate) struct Declaration(u64);

impl Declaration {
    /// Removes the declaration from the responses of an operation of the framework's document, and returns it. An
    /// operation without one has declared nothing.
    pub(crate) fn take(responses: &mut serde_json::Value) -> Self {
        let default = responses.as_object_mut().and_then(|responses| responses.remove("default"));
        let value = default.as_ref().and_then(|default| default["content"][PROBLEM_JSON]["schema"]["enum"][0].as_str());
        Self(value.and_then(|value| value.parse().ok()).unwrap_or_default())
    }

    /// Returns the bits of the declared codes.
    pub(crate) fn codes(self) -> u64 {
        codes::ALL.iter().map(|code| code.bit & self.0).sum()
    }

    /// Returns the declared rate limits.
    pub(crate) fn limits(self) -> impl Iterator<Item = &'static Limit> {
        limit::ALL.iter().filter(move |(bit, _)| self.0 & bit != 0).map(|(_, limit)| *limit)
    }

    /// Returns whether the operation ignores a credential that proves nothing.
    pub(crate) fn ignores_wrong_credential(self) -> bool {
        self.0 & request::IGNORES_WRONG_CREDENTIAL != 0
    }

    /// Returns whether the operation takes a body of up to 2 MiB.
    pub(crate) fn has_large_body(self) -> bool {
        self.0 & request::LARGE_BODY != 0
    }

    /// Returns whether the rate limit of all requests leaves the operation out.
    pub(crate) fn is_uncounted(self) -> bool {
        self.0 & request::UNCOUNTED != 0
    }

    /// Returns whether the operation ignores its query.
    pub(crate) fn ignores_query(self) -> bool {
        self.0 & request::IGNORES_QUERY != 0
    }
}
