//! The texts of the mail that says that an API token expires within a week.

use crate::{platform::mail, tenancy::api_tokens::notice::TokenEmail};

mail::templates!(
    TokenEmail,
    English: "tenancy/api_tokens/expiring_email/en.txt",
    German: "tenancy/api_tokens/expiring_email/de.txt",
    French: "tenancy/api_tokens/expiring_email/fr.txt",
    Spanish: "tenancy/api_tokens/expiring_email/es.txt",
);
