//! The canonical form of an event, which its MAC covers, and the commitments to its personal values.

use portico_entity::audit_event::Model;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::platform::random::Random;

/// Returns the canonical form of a sealed event: a JSON object (RFC 8259) in UTF-8 with the fields below, in the order
/// of their names.
///
/// - Names of objects are sorted by their UTF-8 bytes, in `details` too. There is no white space between tokens.
/// - Strings escape `"`, `\` and the control characters below U+0020 only: as `\b`, `\f`, `\n`, `\r`, `\t` or `\u00xx`
///   with lower-case digits.
/// - Times are UTC with six digits of the second, as `2026-11-26T12:00:00.000000Z`. Ids are lower-case UUIDs with
///   hyphens.
/// - Numbers that are integers are written without fraction and exponent; others in the shortest form that reads as the
///   same IEEE 754 double.
/// - A field without a value is `null`. `actor_name`, `actor_address`, `ip` and `user_agent` hold the commitment to the
///   value, not the value.
///
/// The form does not depend on the database: SQLite and Postgres store JSON and times differently.
pub(super) fn canonical(event: &Model) -> String {
    let value = json!({
        "action": event.action,
        "actor_address": event.actor_address_commitment,
        "actor_id": event.actor_id,
        "actor_name": event.actor_name_commitment,
        "actor_realm": event.actor_realm,
        "at": event.at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        "client_id": event.client_id,
        "details": event.details,
        "id": event.id,
        "ip": event.ip_commitment,
        "key": event.seal_key,
        "outcome": event.outcome,
        "request_id": event.request_id,
        "sequence": event.sequence,
        "target_id": event.target_id,
        "target_kind": event.target_kind,
        "tenant_id": event.tenant_id,
        "user_agent": event.user_agent_commitment,
    });
    let mut text = String::new();
    write(&value, &mut text);
    text
}

/// Appends the canonical form of `value` to `out`.
fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => write_object(fields, out),
        Value::Number(number) => match number.as_f64() {
            // Postgres writes 1e2 as 100 and keeps 1.0, SQLite keeps the text.
            Some(float) if !number.is_i64() && !number.is_u64() && float.fract() == 0.0 && float.abs() < 1e15 => {
                out.push_str(&format!("{float:.0}"));
            }
            _ => out.push_str(&number.to_string()),
        },
        Value::Null | Value::Bool(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
}

fn write_object(fields: &Map<String, Value>, out: &mut String) {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_by_key(|(name, _)| name.as_bytes());
    out.push('{');
    for (n, (name, value)) in sorted.into_iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        out.push_str(&Value::from(name.as_str()).to_string());
        out.push(':');
        write(value, out);
    }
    out.push('}');
}

/// Gives each personal value of `event` that has no commitment a random salt of 128 bits and a commitment.
pub(super) fn commit(event: &mut Model, random: Random) {
    let values = [
        (&event.actor_name, &mut event.actor_name_salt, &mut event.actor_name_commitment),
        (&event.actor_address, &mut event.actor_address_salt, &mut event.actor_address_commitment),
        (&event.ip, &mut event.ip_salt, &mut event.ip_commitment),
        (&event.user_agent, &mut event.user_agent_salt, &mut event.user_agent_commitment),
    ];
    for (value, salt, commitment) in values {
        let new_salt = hex::encode(random.bytes::<16>());
        *commitment = value.as_deref().and_then(|value| commitment_to(&new_salt, value));
        *salt = commitment.is_some().then_some(new_salt);
    }
}

/// The state of a personal value of a sealed event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Personal {
    /// The event never had the value.
    Absent,
    /// The value is the one that was sealed.
    Kept,
    /// The value and its salt were erased.
    Erased,
    /// The value, its salt or its commitment was changed.
    Changed,
}

/// Returns the state of each personal value of a sealed event, with the name of its column.
pub(super) fn personal_values(event: &Model) -> [(&'static str, Personal); 4] {
    let state =
        |value: &Option<String>, salt: &Option<String>, commitment: &Option<String>| match (value, salt, commitment) {
            (None, None, None) => Personal::Absent,
            (None, None, Some(_)) => Personal::Erased,
            (Some(value), Some(salt), commitment) if commitment_to(salt, value) == *commitment => Personal::Kept,
            _ => Personal::Changed,
        };
    [
        ("actor_name", state(&event.actor_name, &event.actor_name_salt, &event.actor_name_commitment)),
        ("actor_address", state(&event.actor_address, &event.actor_address_salt, &event.actor_address_commitment)),
        ("ip", state(&event.ip, &event.ip_salt, &event.ip_commitment)),
        ("user_agent", state(&event.user_agent, &event.user_agent_salt, &event.user_agent_commitment)),
    ]
}

/// Returns the commitment: the SHA-256 hash (FIPS 180-4) of the 16 bytes of the salt and the UTF-8 bytes of the value,
/// as hexadecimal digits. `None` if the salt is not 32 hexadecimal digits.
fn commitment_to(salt: &str, value: &str) -> Option<String> {
    let salt = hex::decode(salt).ok().filter(|salt| salt.len() == 16)?;
    Some(hex::encode(Sha256::new().chain_update(salt).chain_update(value).finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical_text(text: &str) -> String {
        let mut out = String::new();
        write(&serde_json::from_str(text).unwrap(), &mut out);
        out
    }

    #[test]
    fn json_has_one_form_in_both_databases() {
        for (stored, expected) in [
            (r#"{ "b": 1, "a": {"d": [1, null, true], "c": "x"} }"#, r#"{"a":{"c":"x","d":[1,null,true]},"b":1}"#),
            (
                r#"{"n": 1.0, "m": 1e2, "f": 0.5, "i": -7, "u": 18446744073709551615}"#,
                r#"{"f":0.5,"i":-7,"m":100,"n":1,"u":18446744073709551615}"#,
            ),
            (
                r#"{"é": "\u00e9\u0001\n\"\\/", "Z": "\u2028", "a": ""}"#,
                "{\"Z\":\"\u{2028}\",\"a\":\"\",\"é\":\"é\\u0001\\n\\\"\\\\/\"}",
            ),
        ] {
            assert_eq!(canonical_text(stored), expected);
        }
    }

    #[test]
    fn commitment_depends_on_salt_and_value() {
        let salt = "00".repeat(16);
        let of = |salt: &str, value: &str| commitment_to(salt, value);
        assert_eq!(of(&salt, "ann").unwrap().len(), 64);
        assert_ne!(of(&salt, "ann"), of(&salt, "anne"));
        assert_ne!(of(&salt, "ann"), of(&"01".repeat(16), "ann"));
        assert_eq!((of("00", "ann"), of("no", "ann")), (None, None));
    }
}
