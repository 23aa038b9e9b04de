//! Names with stars: `pr-*` stands for every environment whose name fits.

use std::fmt;

use super::name::Name;

/// A pattern over names: small letters, digits, hyphens, and at least one `*` for any run of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

impl Pattern {
    /// A text with a star; nothing when it has none, or could fit no name.
    pub fn new(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'*';
        (text.len() <= 30 && text.contains('*') && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a name is meant.
    pub fn fits(&self, name: &Name) -> bool {
        fits(self.0.as_bytes(), name.as_str().as_bytes())
    }

    /// How much it says: its characters without the stars.
    fn weight(&self) -> usize {
        self.0.bytes().filter(|b| *b != b'*').count()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|n| fits(rest, &name[n..])),
        Some((first, rest)) => name.split_first().is_some_and(|(other, name)| first == other && fits(rest, name)),
    }
}

/// The entry whose pattern fits and says most; of equals the one that sorts first.
pub fn longest<'a, T>(patterns: &'a [(Pattern, T)], name: &Name) -> Option<&'a (Pattern, T)> {
    let fitting = patterns.iter().filter(|(pattern, _)| pattern.fits(name));
    fitting.min_by(|(a, _), (b, _)| b.weight().cmp(&a.weight()).then_with(|| a.cmp(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    #[test]
    fn the_longest_that_fits_is_meant() {
        let all = ["*", "pr-*", "pr-1*", "*-x"].map(|text| (Pattern::new(text).expect("a pattern"), ()));
        let of = |text: &str| longest(&all, &name(text)).map(|(pattern, ())| pattern.as_str());
        assert_eq!(of("pr-12"), Some("pr-1*"));
        assert_eq!(of("pr-2"), Some("pr-*"));
        assert_eq!(of("dev"), Some("*"));
        assert_eq!(of("a-x"), Some("*-x"));
        assert_eq!(longest(&all[1..], &name("dev")), None);
        assert!(Pattern::new("pr").is_none() && Pattern::new("PR-*").is_none() && Pattern::new("a b*").is_none());
    }
}
