//! A reader of the CBOR that authenticators write, with small limits.
//!
//! It accepts what CTAP2 allows: definite lengths, at most four levels, no tags and no key twice. The library that
//! verifies responses reads the same bytes again with a general reader, which accepts more. So this reader runs first,
//! and hostile input does not reach the other one.
//!
//! <https://fidoalliance.org/specs/fido-v2.1-ps-20210615/fido-client-to-authenticator-protocol-v2.1-ps-20210615.html#message-encoding>

/// How deep items may be nested. CTAP2 allows four levels.
const MAX_DEPTH: usize = 4;

/// How many elements an array or a map may have. The largest map, the public key of a credential, has five.
const MAX_ELEMENTS: u64 = 32;

/// The lengths of credential ids: the specification allows 16 to 1,023 bytes.
const CREDENTIAL_ID_LENGTHS: std::ops::RangeInclusive<usize> = 16..=1_023;

/// An item of CBOR.
#[derive(Debug, PartialEq)]
pub(super) enum Item<'a> {
    /// A whole number.
    Integer(i128),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A text.
    Text(&'a str),
    /// An array.
    Array(Vec<Item<'a>>),
    /// A map, in the order of its encoding.
    Map(Vec<(Item<'a>, Item<'a>)>),
    /// `false`, `true` or `null`.
    Simple(u8),
}

impl<'a> Item<'a> {
    /// Reads one item from the start of `bytes`. Returns the item and the bytes after it.
    pub(super) fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        Self::read_nested(bytes, MAX_DEPTH)
    }

    /// Reads the item that `bytes` consists of.
    pub(super) fn read_all(bytes: &'a [u8]) -> Option<Self> {
        Self::read(bytes).and_then(|(item, rest)| rest.is_empty().then_some(item))
    }

    fn read_nested(bytes: &'a [u8], depth: usize) -> Option<(Self, &'a [u8])> {
        let (&first, rest) = bytes.split_first()?;
        let (major, info) = (first >> 5, first & 0x1f);
        if major == 7 {
            return (20..=22).contains(&info).then_some((Self::Simple(info), rest));
        }
        let (argument, rest) = read_argument(info, rest)?;
        match major {
            0 => Some((Self::Integer(argument.into()), rest)),
            1 => Some((Self::Integer(-1 - i128::from(argument)), rest)),
            2 => split(rest, argument).map(|(bytes, rest)| (Self::Bytes(bytes), rest)),
            3 => {
                let (bytes, rest) = split(rest, argument)?;
                Some((Self::Text(str::from_utf8(bytes).ok()?), rest))
            }
            4 | 5 if argument <= MAX_ELEMENTS => read_elements(major == 5, argument, rest, depth.checked_sub(1)?),
            _ => None,
        }
    }

    /// Returns the value of `key` in a map.
    pub(super) fn get(&self, key: &str) -> Option<&Item<'a>> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| *name == Item::Text(key)).map(|(_, value)| value)
    }

    /// Returns the names of a map whose keys are all texts.
    pub(super) fn names(&self) -> Option<Vec<&'a str>> {
        let Self::Map(entries) = self else { return None };
        entries.iter().map(|(name, _)| if let Item::Text(name) = name { Some(*name) } else { None }).collect()
    }
}

/// Reads `count` elements of an array, or entries of a map whose keys are numbers or texts and differ.
fn read_elements(is_map: bool, count: u64, mut rest: &[u8], depth: usize) -> Option<(Item<'_>, &[u8])> {
    let (mut elements, mut entries) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (item, after) = Item::read_nested(rest, depth)?;
        rest = after;
        if !is_map {
            elements.push(item);
            continue;
        }
        let is_new = entries.iter().all(|(key, _)| *key != item);
        if !is_new || !matches!(item, Item::Integer(_) | Item::Text(_)) {
            return None;
        }
        let (value, after) = Item::read_nested(rest, depth)?;
        rest = after;
        entries.push((item, value));
    }
    Some((if is_map { Item::Map(entries) } else { Item::Array(elements) }, rest))
}

/// Reads the number that follows the first byte of an item. An indefinite length (31) has none.
fn read_argument(info: u8, bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = match info {
        0..=23 => return Some((info.into(), bytes)),
        24..=27 => 1 << (info - 24),
        _ => return None,
    };
    let (number, rest) = bytes.split_at_checked(length)?;
    Some((number.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), rest))
}

/// Splits `bytes` after `length` bytes.
fn split(bytes: &[u8], length: u64) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(usize::try_from(length).ok()?)
}

/// The parts of authenticator data that Portico uses itself.
///
/// <https://www.w3.org/TR/webauthn-3/#authenticator-data>
#[derive(Debug, PartialEq)]
pub(super) struct AuthenticatorData<'a> {
    /// Whether the passkey may be backed up (the flag BE).
    pub(super) is_backup_eligible: bool,
    /// The id of the credential that a registration creates.
    pub(super) credential_id: Option<&'a [u8]>,
}

impl<'a> AuthenticatorData<'a> {
    /// Reads authenticator data. Returns `None` if a part has a wrong form, or if bytes follow the last part.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (_rp_id_hash, rest) = bytes.split_at_checked(32)?;
        let (&flags, rest) = rest.split_first()?;
        let (_counter, mut rest) = rest.split_at_checked(4)?;
        let mut credential_id = None;
        if flags & 0x40 != 0 {
            let (_aaguid, after) = rest.split_at_checked(16)?;
            let (length, after) = after.split_first_chunk::<2>()?;
            let (id, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
            let (_public_key, after) = Item::read(after)?;
            credential_id = Some(id).filter(|id| CREDENTIAL_ID_LENGTHS.contains(&id.len()));
            credential_id?;
            rest = after;
        }
        if flags & 0x80 != 0 {
            let (extensions, after) = Item::read(rest)?;
            extensions.names()?;
            rest = after;
        }
        rest.is_empty().then_some(Self { is_backup_eligible: flags & 0x08 != 0, credential_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_ctap2_are_read() {
        let bytes = b"\xa3\x01\x26\x63fmt\x81\xf5\x20\x58\x02\x01\x02";
        let expected = Item::Map(vec![
            (Item::Integer(1), Item::Integer(-7)),
            (Item::Text("fmt"), Item::Array(vec![Item::Simple(21)])),
            (Item::Integer(-1), Item::Bytes(&[1, 2])),
        ]);
        assert_eq!(Item::read_all(bytes), Some(expected));
        assert_eq!(Item::read(b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff\x00").unwrap().0, Item::Integer(u64::MAX.into()));
    }

    #[test]
    fn hostile_items_are_refused() {
        let nested = |first: u8| [vec![first; 10_000], vec![0]].concat();
        for (name, bytes) in [
            ("nothing", vec![]),
            ("arrays nested 10,000 deep", nested(0x81)),
            ("maps nested 10,000 deep", [b"\xa1\x00".repeat(10_000), vec![0]].concat()),
            ("tags nested 10,000 deep", nested(0xc1)),
            ("bytes of 4 GiB", b"\x5b\x00\x00\x00\x01\x00\x00\x00\x00a".to_vec()),
            ("bytes of 16 EiB", b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec()),
            ("text of 4 GiB", b"\x7a\xff\xff\xff\xffa".to_vec()),
            ("array of 16 EiB", b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x00".to_vec()),
            ("map of 4 GiB", b"\xba\xff\xff\xff\xff\x00\x00".to_vec()),
            ("indefinite array", b"\x9f\x00\xff".to_vec()),
            ("indefinite bytes", b"\x5f\x41a\xff".to_vec()),
            ("indefinite map", b"\xbf\x00\x00\xff".to_vec()),
            ("break alone", b"\xff".to_vec()),
            ("key twice", b"\xa2\x01\x00\x01\x00".to_vec()),
            ("key twice, in two encodings", b"\xa2\x01\x00\x18\x01\x00".to_vec()),
            ("key that is an array", b"\xa1\x80\x00".to_vec()),
            ("not a number", b"\xf9\x7e\x00".to_vec()),
            ("truncated map", b"\xa2\x01\x00\x02".to_vec()),
            ("truncated number", b"\x19\x01".to_vec()),
            ("text that is not UTF-8", b"\x61\xff".to_vec()),
            ("second item", b"\x00\x00".to_vec()),
        ] {
            assert_eq!(Item::read_all(&bytes), None, "{name}");
        }
    }
}
