//! "Did you mean": the known word nearest to an unknown one, or the list of what is known.

/// The known word that the person most likely meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let allowed = match word.chars().count() {
        0 => return None,
        1..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word, &candidate.to_lowercase()), candidate))
        // A change of every letter is no typing mistake.
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean `count`?`, or `known: a, b, c`, or that there is none.
pub(super) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(word, known.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None if known.is_empty() => "there is none".to_owned(),
        None => format!("known: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_their_word_and_other_words_do_not() {
        let keys = ["image", "count", "size"];
        assert_eq!(nearest("cont", keys), Some("count"));
        assert_eq!(nearest("iamge", keys), Some("image"));
        assert_eq!(nearest("Size", keys), Some("size"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("gpc", ["do", "gcp"]), Some("gcp"));
        assert_eq!(suggestion("colour", keys), "known: image, count, size");
        assert_eq!(suggestion("x", []), "there is none");
    }
}
