//! Ranges of versions: `>=1.5, <2`, `1.6`, `~> 1.9`.

use std::fmt;

/// What a version has to fulfil: all of its conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    text: String,
    conditions: Vec<(Sign, Vec<u32>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Same,
    Not,
    Least,
    More,
    Most,
    Less,
    Near,
}

/// Longer signs first: `>=` begins with `>`.
const SIGNS: &[(&str, Sign)] = &[
    (">=", Sign::Least),
    ("<=", Sign::Most),
    ("!=", Sign::Not),
    ("~>", Sign::Near),
    ("==", Sign::Same),
    (">", Sign::More),
    ("<", Sign::Less),
    ("=", Sign::Same),
];

impl Range {
    /// Conditions between commas, each a sign (`=` when there is none) and one to three numbers. A version without a
    /// sign fits by the numbers that it has: `1.6` is every 1.6.x.
    pub fn parse(text: &str) -> Option<Self> {
        let conditions: Option<Vec<_>> = text.split(',').map(|part| condition(part.trim())).collect();
        Some(Self { text: text.trim().to_owned(), conditions: conditions? })
    }

    /// Whether a version fits.
    pub fn has(&self, version: (u32, u32, u32)) -> bool {
        let version = [version.0, version.1, version.2];
        self.conditions.iter().all(|(sign, wanted)| {
            let mut full = wanted.clone();
            full.resize(3, 0);
            let begins = version[..wanted.len()] == wanted[..];
            match sign {
                Sign::Same => begins,
                Sign::Not => !begins,
                Sign::Least => version[..] >= full[..],
                Sign::More => version[..] > full[..] && !begins,
                Sign::Most => version[..] <= full[..] || begins,
                Sign::Less => version[..] < full[..],
                // All numbers but the last one stay: `~> 1.9` is 1.9 and later 1.x, `~> 1.9.2` later 1.9.x.
                Sign::Near => {
                    let kept = wanted.len().saturating_sub(1).max(1);
                    version[..] >= full[..] && version[..kept] == wanted[..kept]
                }
            }
        })
    }
}

fn condition(text: &str) -> Option<(Sign, Vec<u32>)> {
    let found = SIGNS.iter().find_map(|(sign, meant)| Some((*meant, text.strip_prefix(sign)?)));
    let (sign, rest) = found.unwrap_or((Sign::Same, text));
    let rest = rest.trim();
    let numbers: Option<Vec<u32>> = rest.strip_prefix('v').unwrap_or(rest).split('.').map(|n| n.parse().ok()).collect();
    let numbers = numbers?;
    (1..=3).contains(&numbers.len()).then_some((sign, numbers))
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_mean_what_terraform_means_by_them() {
        for (range, fits, does_not) in [
            (">=1.5, <2", vec![(1, 5, 0), (1, 99, 9)], vec![(1, 4, 9), (2, 0, 0)]),
            ("1.6", vec![(1, 6, 0), (1, 6, 9)], vec![(1, 7, 0)]),
            ("= 1.6.2", vec![(1, 6, 2)], vec![(1, 6, 3)]),
            ("~> 1.9", vec![(1, 9, 0), (1, 11, 4)], vec![(2, 0, 0), (1, 8, 9)]),
            ("~> 1.9.2", vec![(1, 9, 2), (1, 9, 9)], vec![(1, 10, 0), (1, 9, 1)]),
            ("!= 1.7", vec![(1, 6, 0)], vec![(1, 7, 3)]),
            ("> 1.7, <= 2", vec![(1, 8, 0), (2, 0, 5)], vec![(1, 7, 5), (3, 0, 0)]),
        ] {
            let range = Range::parse(range).expect(range);
            assert!(fits.iter().all(|version| range.has(*version)), "{range}");
            assert!(!does_not.iter().any(|version| range.has(*version)), "{range}");
        }
        for wrong in ["", ">=", "one", "1.2.3.4", ">=1,", "1.x", "=>1"] {
            assert!(Range::parse(wrong).is_none(), "{wrong}");
        }
    }
}
