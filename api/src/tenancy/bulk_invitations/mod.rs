//! `/api/v1/clients/{client_id}/invitations/bulk`: inviting many portal users to a client. Called by staff users.

mod body;
mod table;

use poem::{Request, web::Data};
use poem_openapi::{
    ApiRequest, Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use portico_domain::{
    entity::ClientId,
    platform::{
        actor::access::ClientsEdit,
        app::App,
        error::Error,
        idempotency::{IdempotencyKey, IdempotentRequest},
    },
    tenancy::invitations::{self, BulkInput, BulkOutcome, BulkRowResult, RowError},
};

use self::body::{CsvRows, JsonRows, Rows};
use super::invitations::InviteMode;
use crate::http::{
    auth::Authorized,
    error::{ApiResult, InvalidField, codes, limit, request},
    fields::Field,
    nullable::Nullable,
    tags::Tag,
};

/// The operation of the tag `invitations` that invites many portal users.
pub(crate) struct BulkInvitations;

/// The portal users to invite, as JSON or as a table.
#[derive(ApiRequest)]
enum BulkBody {
    /// As JSON.
    Json(JsonRows),
    /// As a table.
    Csv(CsvRows),
}

/// What became of the rows of a bulk invitation.
#[derive(Object)]
struct BulkInvitationResult {
    /// How many rows have each status.
    counts: BulkCounts,
    /// What became of each row, in the order of the request.
    rows: Vec<BulkRowView>,
}

/// How many rows have each status.
#[derive(Object, Default)]
struct BulkCounts {
    /// Rows whose user was invited.
    invited: u32,
    /// Rows whose user was already invited to this client.
    exists: u32,
    /// Rows with the address of an earlier row.
    duplicate: u32,
    /// Rows for which a rate limit is used up.
    limited: u32,
    /// Rows with values that are not valid.
    invalid: u32,
}

/// What became of a row.
#[derive(Object)]
#[oai(rename = "BulkRowResult")]
struct BulkRowView {
    /// The number of the row, from 1. The header of a table and empty rows do not count.
    row: u32,
    /// The email address in lower case, or of an invalid row as it was sent; `null` if there was none.
    email: Nullable<String>,
    /// What became of the row.
    status: BulkRowStatus,
    /// How the user joins the client; `null` if the user was not invited.
    invite_mode: Nullable<InviteMode>,
    /// Every field of an invalid row that is not valid, at most 5. The pointers are within the row.
    errors: Vec<InvalidField>,
}

/// What became of a row.
///
/// - `invited`: the user was invited.
/// - `exists`: the user was already invited to this client.
/// - `duplicate`: an earlier row has the same address.
/// - `limited`: a rate limit is used up; the row can be sent again later.
/// - `invalid`: values of the row are not valid.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum BulkRowStatus {
    /// The user was invited.
    Invited,
    /// The user was already invited to this client.
    Exists,
    /// An earlier row has the same address.
    Duplicate,
    /// A rate limit is used up.
    Limited,
    /// Values of the row are not valid.
    Invalid,
}

impl From<RowError> for InvalidField {
    fn from(RowError { pointer, code, detail }: RowError) -> Self {
        Self { pointer, code, detail, suggestion: None }
    }
}

impl From<Vec<BulkRowResult>> for BulkInvitationResult {
    fn from(results: Vec<BulkRowResult>) -> Self {
        let mut counts = BulkCounts::default();
        let rows = (1..).zip(results).map(|(row, result)| {
            let (count, status, mode, errors) = match result.outcome {
                BulkOutcome::Invited(mode) => (&mut counts.invited, BulkRowStatus::Invited, Some(mode), vec![]),
                BulkOutcome::Exists => (&mut counts.exists, BulkRowStatus::Exists, None, vec![]),
                BulkOutcome::Duplicate => (&mut counts.duplicate, BulkRowStatus::Duplicate, None, vec![]),
                BulkOutcome::Limited => (&mut counts.limited, BulkRowStatus::Limited, None, vec![]),
                BulkOutcome::Invalid(errors) => (&mut counts.invalid, BulkRowStatus::Invalid, None, errors),
            };
            *count += 1;
            let errors = errors.into_iter().map(Into::into).collect();
            let invite_mode = Nullable(mode.map(Into::into));
            BulkRowView { row, email: Nullable(result.email), status, invite_mode, errors }
        });
        let rows = rows.collect();
        Self { counts, rows }
    }
}

#[OpenApi(prefix_path = "/api/v1/clients", tag = "Tag::Invitations")]
impl BulkInvitations {
    /// Invite many portal users
    ///
    /// Takes 1 to 1,000 rows and 2 MiB, as JSON or as `text/csv`, and invites each user as `invite_portal_user` does,
    /// all or, if the request fails, none. A row that is not valid does not fail the request: the response says for
    /// each row what became of it.
    ///
    /// A table has a first row with the names of its columns: `email` and, in any order, `name`, `role` and `locale`.
    /// The separator is a comma, a semicolon or a tab, and the text is UTF-8 or Windows-1252. An empty cell is an
    /// absent field. A cell is kept as it is, also if a spreadsheet would read it as a formula. Other columns, more
    /// than 1,000 rows and a quotation mark that is not closed are 422.
    ///
    /// A user who is invited uses a unit of the tenant's rate limit for bulk invitations and one of the limit of the
    /// recipient; rows beyond a limit are `limited`. With `dry_run=true` nothing is written, and the response is the
    /// one that the same request would get without it. With an `Idempotency-Key`, the same request within 24 hours gets
    /// the same response and invites no one again; the same key with another body is 409 `idempotency_mismatch`. A dry
    /// run ignores the key.
    ///
    /// The response is 403 `client_suspended` if the client is archived. The roles `owner`, `admin` and `support` may
    /// call this.
    #[oai(path = "/:client_id/invitations/bulk", method = "post", operation_id = "invite_portal_users")]
    #[expect(clippy::too_many_arguments, reason = "the query and the headers are arguments")]
    async fn invite(
        &self,
        Data(app): Data<&App>,
        request: &Request,
        caller: Authorized<ClientsEdit>,
        /// The id of the client.
        client_id: Path<Field<ClientId>>,
        /// Whether nothing is written.
        #[oai(default)]
        dry_run: Query<bool>,
        /// A key that the caller has chosen for this request: 1 to 255 visible ASCII characters.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Header<Option<Field<IdempotencyKey>>>,
        body: BulkBody,
    ) -> ApiResult<
        Json<BulkInvitationResult>,
        {
            codes::CLIENT_SUSPENDED
                | codes::NOT_FOUND
                | codes::IDEMPOTENCY_MISMATCH
                | limit::INVITE_BULK
                | limit::INVITE_RECIPIENT
                | request::LARGE_BODY
        },
    > {
        let (BulkBody::Json(JsonRows(Rows { rows, bytes })) | BulkBody::Csv(CsvRows(Rows { rows, bytes }))) = body;
        check_key(request)?;
        let idempotent = idempotency_key.0.map(|Field(key)| IdempotentRequest::new(key, &bytes));
        let input = BulkInput { rows, is_dry_run: dry_run.0, idempotent };
        Ok(Json(invitations::invite_all(app, &caller, client_id.0.0, input).await?.into()))
    }
}

/// Checks that the request has at most one `Idempotency-Key`, and that it is ASCII: the framework takes any other as
/// absent, and a caller that sends a key relies on it.
///
/// # Errors
/// `validation_failed` at `/Idempotency-Key`.
fn check_key(request: &Request) -> Result<(), Error> {
    let mut keys = request.headers().get_all("idempotency-key").iter();
    match (keys.next(), keys.next()) {
        (None, _) => Ok(()),
        (Some(key), None) if key.to_str().is_ok_and(|key| !key.is_empty()) => Ok(()),
        _ => {
            let detail = "must be one key of 1 to 255 visible ASCII characters";
            Err(Error::invalid("/Idempotency-Key", "idempotency_key_invalid", detail))
        }
    }
}
