//! Every renderer at 80 and 140 columns, with and without colours, and whole runs through the screen.

mod reports;
mod runs;
mod sample;

/// No line of it is wider than `max`, colours left out.
fn assert_fits(text: &str, max: usize) {
    for line in super::text::clean(text).lines() {
        assert!(super::text::width(line) <= max, "wider than {max}: {line}");
    }
}
