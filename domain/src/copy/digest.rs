//! A checksum of a table that is the same in both kinds of database.

use std::fmt;

use sea_orm::{JsonValue as Json, Value};
use sha2::{Digest as _, Sha256};

/// How many rows there are, and the sum of their hashes: each database gives its rows in an order of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    rows: u64,
    sum: [u64; 4],
}

impl Digest {
    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds a row: its values in the order of the columns.
    pub(super) fn add(&mut self, row: impl Iterator<Item = Value>) {
        let mut hash = Sha256::new();
        for value in row {
            let text = canonical(&value);
            // With the length in front, since values must not run together.
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

/// The first 16 hexadecimal digits, which is enough for the eye.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.sum[0])
    }
}

/// A text that equal values share and no others. What came out of a column as a Rust value is the same from both
/// databases, except that Postgres sorts the keys of JSON and rewrites its numbers.
fn canonical(value: &Value) -> String {
    match value {
        Value::Json(Some(json)) => canonical_json(json),
        other => format!("{other:?}"),
    }
}

fn canonical_json(json: &Json) -> String {
    match json {
        Json::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields = fields.iter().map(|(name, value)| format!("{name:?}:{}", canonical_json(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(canonical_json).collect::<Vec<_>>().join(",")),
        // 1e2 comes back as 100: whole numbers are compared as such.
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

    fn of(rows: &[&[Value]]) -> Digest {
        let mut digest = Digest::default();
        rows.iter().for_each(|row| digest.add(row.iter().cloned()));
        digest
    }

    #[test]
    fn the_order_of_rows_does_not_matter_and_all_else_does() {
        let (one, two) = ([Value::from("a"), Value::from(1)], [Value::from("b"), Value::from(2)]);
        assert_eq!(of(&[&one, &two]), of(&[&two, &one]));
        let others: [&[Value]; 4] = [
            &[Value::from("a"), Value::from(2)],
            &[Value::from("a"), Value::Int(None)],
            &[Value::from("a"), Value::from("1")],
            &[Value::from("b"), Value::from(1)],
        ];
        for other in others {
            assert_ne!(of(&[&one]), of(&[other]), "{other:?}");
        }
        assert_ne!(of(&[&one]), of(&[&one, &one]));
        assert_ne!(of(&[&[Value::from("ab"), Value::from("c")]]), of(&[&[Value::from("a"), Value::from("bc")]]));
    }

    #[test]
    fn json_is_compared_by_meaning() {
        let read = |text: &str| Value::from(serde_json::from_str::<Json>(text).unwrap());
        assert_eq!(of(&[&[read(r#"{"b": [1e2, 1.0], "a": null}"#)]]), of(&[&[read(r#"{"a":null,"b":[100,1]}"#)]]));
        assert_ne!(of(&[&[json!({ "a": 1 }).into()]]), of(&[&[json!({ "a": "1" }).into()]]));
        assert_ne!(of(&[&[json!([1, [2]]).into()]]), of(&[&[json!([1, 2]).into()]]));
    }
}
