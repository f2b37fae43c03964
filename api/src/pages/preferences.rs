//! Headers that list what the client prefers, each with a weight (RFC 9110 §12.4.2).

/// Returns the values of a header such as `Accept-Language`, in lower case, with their weights between 0 and 1.
///
/// A weight that is not a number counts as 0.
pub(super) fn preferences(header: &str) -> impl Iterator<Item = (String, f32)> {
    header.split(',').map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let value = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight = weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
        (value, if (0.0..=1.0).contains(&weight) { weight } else { 0.0 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_weights() {
        let read = |header: &str| preferences(header).collect::<Vec<_>>();
        let expected = [("de-ch".to_owned(), 1.0), ("de".into(), 0.9), ("*".into(), 0.0)];
        assert_eq!(read("de-CH, de;q=0.9 ,*; q=0"), expected);
        for wrong in ["x;q=", "x;q=nan", "x;q=2", "x;q=-1", "x;q=inf", "x;q=0,5"] {
            assert_eq!(read(wrong)[0], ("x".to_owned(), 0.0), "{wrong}");
        }
        assert_eq!(read(""), [(String::new(), 1.0)]);
    }
}
