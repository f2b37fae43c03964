//! A checksum of the rows of a table. It is the same for the same rows in SQLite and in Postgres.

use std::fmt;

use sea_orm::{JsonValue as Json, Value};
use sha2::{Digest as _, Sha256};

/// The number of rows of a table and the sum of the SHA-256 hashes of its rows.
///
/// The sum does not depend on the order of the rows, because each database returns rows in its own order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    rows: u64,
    sum: [u64; 4],
}

impl Digest {
    /// Returns the number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds a row. `row` gives its values in the order of the columns.
    pub(super) fn add(&mut self, row: impl Iterator<Item = Value>) {
        let mut hash = Sha256::new();
        for value in row {
            let text = canonical(&value);
            // The length comes first, so that ("ab", "c") and ("a", "bc") have different hashes.
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        let hash: [u8; 32] = hash.finalize().into();
        for (sum, part) in self.sum.iter_mut().zip(hash.chunks_exact(8)) {
            *sum = sum.wrapping_add(part.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        }
        self.rows += 1;
    }
}

/// Writes the first 16 hexadecimal digits of the sum, for display only.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.sum[0])
    }
}

/// Returns a text that is the same for equal values and different for different values.
///
/// A column gives the same Rust value from both databases, except for JSON: Postgres sorts the keys and rewrites the
/// numbers.
fn canonical(value: &Value) -> String {
    match value {
        Value::Json(Some(json)) => canonical_json(json),
        other => format!("{other:?}"),
    }
}

/// Returns a JSON text with sorted keys and one spelling for each number.
fn canonical_json(json: &Json) -> String {
    match json {
        Json::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields = fields.iter().map(|(name, value)| format!("{name:?}:{}", canonical_json(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(canonical_json).collect::<Vec<_>>().join(",")),
        // Postgres returns 1e2 as 100. Formatted as a float, 1e2 is written as 100, too.
        Json::Number(number) => match number.as_f64() {
            Some(float) if !number.is_i64() && !number.is_u64() => format!("{float}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn digest_of(rows: &[&[Value]]) -> Digest {
        let mut digest = Digest::default();
        rows.iter().for_each(|row| digest.add(row.iter().cloned()));
        digest
    }

    #[test]
    fn digest_ignores_row_order_and_depends_on_every_value() {
        let (one, two) = ([Value::from("a"), Value::from(1)], [Value::from("b"), Value::from(2)]);
        assert_eq!(digest_of(&[&one, &two]), digest_of(&[&two, &one]));
        let others: [&[Value]; 4] = [
            &[Value::from("a"), Value::from(2)],
            &[Value::from("a"), Value::Int(None)],
            &[Value::from("a"), Value::from("1")],
            &[Value::from("b"), Value::from(1)],
        ];
        for other in others {
            assert_ne!(digest_of(&[&one]), digest_of(&[other]), "{other:?}");
        }
        assert_ne!(digest_of(&[&one]), digest_of(&[&one, &one]));
        assert_ne!(
            digest_of(&[&[Value::from("ab"), Value::from("c")]]),
            digest_of(&[&[Value::from("a"), Value::from("bc")]])
        );
    }

    #[test]
    fn equal_json_with_other_spelling_has_the_same_digest() {
        let read = |text: &str| Value::from(serde_json::from_str::<Json>(text).unwrap());
        assert_eq!(
            digest_of(&[&[read(r#"{"b": [1e2, 1.0], "a": null}"#)]]),
            digest_of(&[&[read(r#"{"a":null,"b":[100,1]}"#)]])
        );
        assert_ne!(digest_of(&[&[json!({ "a": 1 }).into()]]), digest_of(&[&[json!({ "a": "1" }).into()]]));
        assert_ne!(digest_of(&[&[json!([1, [2]]).into()]]), digest_of(&[&[json!([1, 2]).into()]]));
    }
}
