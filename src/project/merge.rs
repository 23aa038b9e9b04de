//! Three-way merge of texts, by lines: what only one side changed is taken, what both changed differently is marked as
//! git marks it.

/// Lines above which no common lines are looked for: the whole is then one difference.
const MAX_LINES: usize = 5000;

/// A merged text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Merged {
    /// The lines.
    pub(super) text: String,
    /// Places that both sides changed.
    pub(super) conflicts: usize,
}

/// Merges; `names` stand behind the marks of a conflict: whose side is first, whose second.
pub(super) fn merge(base: &str, ours: &str, theirs: &str, names: (&str, &str)) -> Merged {
    let [base, ours, theirs] = [base, ours, theirs].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let (in_ours, in_theirs) = (common(&base, &ours), common(&base, &theirs));
    let mut merged = Merged { text: String::new(), conflicts: 0 };
    let (mut b, mut o, mut t) = (0, 0, 0);
    loop {
        while b < base.len() && in_ours[b] == Some(o) && in_theirs[b] == Some(t) {
            merged.text.push_str(base[b]);
            (b, o, t) = (b + 1, o + 1, t + 1);
        }
        if b == base.len() && o == ours.len() && t == theirs.len() {
            return merged;
        }
        let sync = (b..base.len()).find_map(|n| Some((n, in_ours[n]?, in_theirs[n]?)));
        let (nb, no, nt) = sync.unwrap_or((base.len(), ours.len(), theirs.len()));
        put(&mut merged, (&base[b..nb], &ours[o..no], &theirs[t..nt]), names);
        (b, o, t) = (nb, no, nt);
    }
}

fn put(merged: &mut Merged, (base, ours, theirs): (&[&str], &[&str], &[&str]), names: (&str, &str)) {
    if ours == theirs || theirs == base {
        merged.text.extend(ours.iter().copied());
    } else if ours == base {
        merged.text.extend(theirs.iter().copied());
    } else {
        merged.conflicts += 1;
        let side = |text: &mut String, lines: &[&str]| {
            text.extend(lines.iter().copied());
            if lines.last().is_some_and(|line| !line.ends_with('\n')) {
                text.push('\n');
            }
        };
        merged.text.push_str(&format!("<<<<<<< {}\n", names.0));
        side(&mut merged.text, ours);
        merged.text.push_str("=======\n");
        side(&mut merged.text, theirs);
        merged.text.push_str(&format!(">>>>>>> {}\n", names.1));
    }
}

/// What two texts have in common: a base for those that have none.
pub(super) fn common_lines(one: &str, other: &str) -> String {
    let [one, other] = [one, other].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let found = common(&one, &other);
    one.iter().zip(found).filter_map(|(line, place)| place.map(|_| *line)).collect()
}

/// For each line of `one` its place in `other`, in order, as many as can be.
fn common(one: &[&str], other: &[&str]) -> Vec<Option<usize>> {
    let mut places = vec![None; one.len()];
    if one.len() > MAX_LINES || other.len() > MAX_LINES {
        return places;
    }
    let width = other.len() + 1;
    // Lengths of what is common from here to the end.
    let mut longest = vec![0_u16; (one.len() + 1) * width];
    for i in (0..one.len()).rev() {
        for j in (0..other.len()).rev() {
            longest[i * width + j] = if one[i] == other[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < one.len() && j < other.len() {
        if one[i] == other[j] {
            places[i] = Some(j);
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_keeps_its_changes() {
        let base = "a\nb\nc\nd\ne\n";
        let merged = merge(base, "a\nB\nc\nd\ne\nmine\n", "new\na\nb\nc\ne\n", ("yours", "otto"));
        assert_eq!(merged, Merged { text: "new\na\nB\nc\ne\nmine\n".to_owned(), conflicts: 0 });
        let merged = merge(base, "a\nX\nc\nd\ne\n", "a\nY\nc\nd\ne\n", ("yours", "otto"));
        let text = "a\n<<<<<<< yours\nX\n=======\nY\n>>>>>>> otto\nc\nd\ne\n";
        assert_eq!(merged, Merged { text: text.to_owned(), conflicts: 1 });
        assert_eq!(merge(base, base, "", ("", "")).text, "");
        assert_eq!(merge("", "same\n", "same\n", ("", "")).conflicts, 0);
        assert_eq!(common_lines("a\nb\nc\n", "b\nx\nc\n"), "b\nc\n");
    }
}
