//! Whatever stands in the files: an answer, never a panic, and a place for every problem.

use otto::project::{Problem, load};
use proptest::prelude::*;

use super::folder::{DO, Folder, HELLO, OTTO};

/// Loads it and looks at the answer.
fn answered(folder: &Folder) -> Result<(), TestCaseError> {
    if let Err(problems) = load(folder.path()) {
        prop_assert!(!problems.is_empty());
        for problem in &problems {
            prop_assert!(!problem.file.is_empty() && !problem.message.is_empty(), "{problem:?}");
            prop_assert!(problem.line != Some(0) && problem.column != Some(0), "{problem:?}");
        }
        prop_assert!(problems.iter().any(|problem: &Problem| !problem.warning));
    }
    Ok(())
}

/// Pieces of YAML and of these files in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "domains",
        "roles",
        "www",
        "count",
        "environments",
        "prod",
        "content",
        "html",
        "checks",
        "vars",
        ": ",
        ":",
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\"",
        "'",
        "&a ",
        "*a",
        "<<",
        "!t ",
        "!!str ",
        "|\n",
        ">-\n",
        "#",
        "---\n",
        "...\n",
        "\t",
        "null",
        "~",
        "-1",
        "1e9",
        "0x",
        "..",
        "é",
        "\u{feff}",
        "\u{0}",
        "\r",
        "\r\n",
        "%",
        "@",
        "`",
        "? ",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC*", pieces in pieces()) {
        let folder = Folder::new();
        for file in ["otto.yaml", "sites/hello/site.yaml", "clowd/provision/do/provider.yaml"] {
            folder.write(file, &text);
            answered(&folder)?;
            folder.write(file, &pieces);
            answered(&folder)?;
        }
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        answered(Folder::new().write("sites/hello/site.yaml", bytes))?;
    }

    #[test]
    fn any_change_of_a_valid_file(from in 0.0..1.0f64, length in 0usize..12, piece in pieces()) {
        for (file, text) in
            [("otto.yaml", OTTO), ("sites/hello/site.yaml", HELLO), ("clowd/provision/do/provider.yaml", DO)]
        {
            let start = (text.len() as f64 * from) as usize;
            let end = (start + length).min(text.len());
            let changed = format!("{}{piece}{}", &text[..start], &text[end..]);
            answered(Folder::new().write(file, changed))?;
        }
    }
}
