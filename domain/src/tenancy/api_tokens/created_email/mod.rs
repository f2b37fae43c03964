//! The texts of the mail that says that an API token was created.

use crate::{platform::mail, tenancy::api_tokens::notice::TokenEmail};

mail::templates!(
    TokenEmail,
    "tenancy/api_tokens/created_email/subject.txt",
    "tenancy/api_tokens/created_email/body.txt",
    "tenancy/api_tokens/created_email/body.html"
);
