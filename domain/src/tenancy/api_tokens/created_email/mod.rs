//! The texts of the mail that says that an API token was created.

use crate::{platform::mail, tenancy::api_tokens::notice::TokenEmail};

mail::templates!(
    TokenEmail,
    English: "tenancy/api_tokens/created_email/en.txt",
    German: "tenancy/api_tokens/created_email/de.txt",
    French: "tenancy/api_tokens/created_email/fr.txt",
    Spanish: "tenancy/api_tokens/created_email/es.txt",
);
