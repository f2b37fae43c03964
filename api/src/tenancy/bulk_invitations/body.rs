//! The request body of a bulk invitation, as JSON or as a table. A row that is not valid does not fail the request.

use poem::{Request, RequestBody};
use poem_openapi::{
    Object,
    payload::{ParsePayload, Payload},
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseFromJSON, Type},
};
use portico_domain::{
    platform::{
        email_address::EmailAddress,
        error::{Error, FieldError, FieldProblem},
        locale::Locale,
        name::Name,
    },
    tenancy::invitations::{BulkRow, InviteInput},
};
use serde_json::{Map, Value, json};

use super::table::{self, MAX_ROWS};
use crate::{
    http::{body, document, document::MAX_LARGE_BODY_BYTES, error::ApiError, fields::Field, schema},
    tenancy::views::MemberRole,
};

/// The largest number of errors of a row in the response. A small request must not get a large response.
const MAX_ERRORS: usize = 5;
/// The longest address of an invalid row that the response repeats, in characters.
const MAX_EMAIL_CHARS: usize = 254;
/// The charsets that `Content-Type: text/csv` may name. The text itself decides between UTF-8 and Windows-1252.
const CSV_CHARSETS: [&str; 7] = ["", "utf-8", "utf8", "windows-1252", "cp1252", "iso-8859-1", "us-ascii"];

/// The portal users to invite.
#[derive(Object)]
struct BulkInvite {
    /// The portal users, 1 to 1,000.
    #[oai(validator(min_items = 1, max_items = 1000))]
    rows: Vec<BulkInviteRow>,
}

/// A portal user to invite.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct BulkInviteRow {
    /// The email address, at most 254 characters. It is trimmed and stored in lower case.
    email: Field<EmailAddress>,
    /// The name, 1 to 100 characters. The default is the part of the address before the `@`.
    name: Option<Field<Name>>,
    /// The role at the client. The default is `member`.
    role: Option<MemberRole>,
    /// The language as a BCP 47 tag: `en`, `de`, `fr` or `es`, perhaps with a region, as in `de-CH`. It is stored only
    /// if the address is new.
    locale: Option<Field<Locale>>,
}

/// The rows of a body, and the body itself.
pub(super) struct Rows {
    /// The rows.
    pub(super) rows: Vec<BulkRow>,
    /// The body as it was sent.
    pub(super) bytes: Vec<u8>,
}

/// A body of the content type `application/json`.
pub(super) struct JsonRows(pub(super) Rows);

/// A body of the content type `text/csv` (RFC 4180).
pub(super) struct CsvRows(pub(super) Rows);

impl Payload for JsonRows {
    const CONTENT_TYPE: &'static str = "application/json; charset=utf-8";

    fn check_content_type(content_type: &str) -> bool {
        body::is_json(content_type)
    }

    fn schema_ref() -> MetaSchemaRef {
        BulkInvite::schema_ref()
    }

    fn register(registry: &mut Registry) {
        BulkInvite::register(registry);
    }
}

impl ParsePayload for JsonRows {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        let bytes = body::read(request, body, MAX_LARGE_BODY_BYTES).await?;
        let mut value = body::parse(&bytes)?;
        let schemas = document::of(request)?.schemas();
        let rows = take_rows(&mut value);
        // The rows are checked one by one below, so a valid one takes the place of each here. One row too many shows
        // that there are too many.
        let valid = json!({ "email": "ann@example.com" });
        if let (Some(rows), Value::Object(object)) = (&rows, &mut value) {
            object.insert("rows".into(), vec![valid; rows.len().min(MAX_ROWS + 1)].into());
        }
        let problems = schema::check(schemas, &BulkInvite::name(), &value);
        if !problems.is_empty() {
            return Err(ApiError::Domain(Error::Invalid(problems)).into());
        }
        let rows = rows.unwrap_or_default().into_iter().map(|row| parse_row(schemas, row)).collect();
        Ok(Self(Rows { rows, bytes }))
    }
}

/// Takes the rows out of a body, if it has an array of rows.
fn take_rows(value: &mut Value) -> Option<Vec<Value>> {
    match value.get_mut("rows")? {
        Value::Array(rows) => Some(std::mem::take(rows)),
        _ => None,
    }
}

impl Payload for CsvRows {
    const CONTENT_TYPE: &'static str = "text/csv";

    fn check_content_type(content_type: &str) -> bool {
        // `header` says whether there is a header (RFC 4180 §3), and there must be one.
        let (with_header, plain) = (content_type.replace("header=present", ""), content_type);
        [with_header.as_str(), plain].iter().any(|typed| body::has_type(typed, "text/csv", &CSV_CHARSETS))
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")))
    }
}

impl ParsePayload for CsvRows {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        let bytes = body::read(request, body, MAX_LARGE_BODY_BYTES).await?;
        let schemas = document::of(request)?.schemas();
        let rows = table::parse(&bytes)?.into_iter().map(|row| match row {
            Ok(object) => parse_row(schemas, Value::Object(object)),
            Err((object, problem)) => invalid(&Value::Object(object), vec![problem.at("")]),
        });
        let rows = rows.collect();
        Ok(Self(Rows { rows, bytes }))
    }
}

/// Parses a row. The same check reads the rows of JSON and of a table.
fn parse_row(schemas: &Map<String, Value>, row: Value) -> BulkRow {
    let problems = schema::check(schemas, &BulkInviteRow::name(), &row);
    if !problems.is_empty() {
        return invalid(&row, problems);
    }
    match BulkInviteRow::parse_from_json(Some(row.clone())) {
        Ok(BulkInviteRow { email, name, role, locale }) => BulkRow::Valid(InviteInput {
            email: email.0,
            name: name.map(|Field(name)| name),
            role: role.unwrap_or(MemberRole::Member).into(),
            locale: locale.map(|Field(locale)| locale.to_string()),
        }),
        // The value matches the schema, so the schema and the type differ: a programming error.
        Err(_) => invalid(&row, vec![FieldProblem::new("invalid", "does not match the schema of a row").at("")]),
    }
}

/// Returns a row that is not valid.
fn invalid(row: &Value, mut errors: Vec<FieldError>) -> BulkRow {
    errors.truncate(MAX_ERRORS);
    let email = row.get("email").and_then(Value::as_str);
    BulkRow::Invalid { email: email.map(|email| email.chars().take(MAX_EMAIL_CHARS).collect()), errors }
}
