//! The texts of the mail that says that an API token expires within a week.

use crate::{platform::mail, tenancy::api_tokens::notice::TokenEmail};

mail::templates!(
    TokenEmail,
    "tenancy/api_tokens/expiring_email/subject.txt",
    "tenancy/api_tokens/expiring_email/body.txt",
    "tenancy/api_tokens/expiring_email/body.html"
);
